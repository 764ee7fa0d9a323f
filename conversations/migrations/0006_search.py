"""Every message gets an entry to be found by, which the database keeps from then on."""

from __future__ import annotations

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations, models

# A checkpoint of an answer changes its text, so an entry may come with an update as well.
KEEP = """
ALTER TABLE conversations_searchentry ADD CONSTRAINT search_entry_of_message
    FOREIGN KEY (message_id) REFERENCES conversations_message (id) ON DELETE CASCADE;

CREATE FUNCTION conversations_keep_search_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversations_searchentry (message_id, user_id, role, created_at, document)
        SELECT NEW.id, user_id, NEW.role, NEW.created_at, to_tsvector('english', NEW.text)
        FROM conversations_conversation WHERE id = NEW.conversation_id
        ON CONFLICT (message_id) DO UPDATE SET document = EXCLUDED.document;
    RETURN NULL;
END $$;

CREATE TRIGGER message_search_insert AFTER INSERT ON conversations_message
    FOR EACH ROW WHEN (NEW.text <> '') EXECUTE FUNCTION conversations_keep_search_entry();
CREATE TRIGGER message_search_update AFTER UPDATE OF text ON conversations_message
    FOR EACH ROW WHEN (OLD.text IS DISTINCT FROM NEW.text)
    EXECUTE FUNCTION conversations_keep_search_entry();

INSERT INTO conversations_searchentry (message_id, user_id, role, created_at, document)
    SELECT m.id, c.user_id, m.role, m.created_at, to_tsvector('english', m.text)
    FROM conversations_message m JOIN conversations_conversation c ON c.id = m.conversation_id
    WHERE m.text <> '';
"""
LEAVE = """
DROP TRIGGER message_search_insert ON conversations_message;
DROP TRIGGER message_search_update ON conversations_message;
DROP FUNCTION conversations_keep_search_entry();
ALTER TABLE conversations_searchentry DROP CONSTRAINT search_entry_of_message;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0005_foreign_keys_in_wider_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        TrigramExtension(),
        BtreeGinExtension(),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("message", models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name="search_entry", serialize=False, to="conversations.message")),
                ("role", models.CharField(choices=[("user", "User"), ("assistant", "Assistant"), ("tool", "Tool")], max_length=9)),
                ("created_at", models.DateTimeField()),
                ("document", django.contrib.postgres.search.SearchVectorField()),
                ("user", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="search_entries", to=settings.AUTH_USER_MODEL)),
            ],
            options={"verbose_name_plural": "search entries"},
        ),
        migrations.RunSQL(KEEP, LEAVE),
        migrations.AddIndex(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(fields=["user", "document"], name="search_entry_words"),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(fields=["user", "-created_at", "-message"], name="search_entry_newest"),
        ),
        migrations.RemoveIndex(model_name="message", name="message_text"),
    ]
