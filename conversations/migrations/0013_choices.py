"""What users choose for their answers, and temporary conversations, which are in no search."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models


KEEP = """
CREATE OR REPLACE FUNCTION conversations_keep_search_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversations_searchentry (message_id, user_id, role, created_at, document)
        SELECT NEW.id, user_id, NEW.role, NEW.created_at, to_tsvector('english', NEW.text)
        FROM conversations_conversation WHERE id = NEW.conversation_id{condition}
        ON CONFLICT (message_id) DO UPDATE SET document = EXCLUDED.document;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0012_support_access'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='conversation',
            name='chat_model',
            field=models.CharField(blank=True, db_default='', default='', help_text="Which model answers, as backend/name; empty for the site's choice.", max_length=251),
        ),
        migrations.AddField(
            model_name='conversation',
            name='system_prompt',
            field=models.CharField(blank=True, db_default='', default='', help_text="Told to the model before the messages, after its user's own.", max_length=4000),
        ),
        migrations.AddField(
            model_name='conversation',
            name='temporary',
            field=models.BooleanField(db_default=False, default=False, help_text='In no list and no search, kept in no cache, and deleted after some hours.'),
        ),
        migrations.AddField(
            model_name='preferences',
            name='chat_model',
            field=models.CharField(blank=True, db_default='', default='', help_text='With which new conversations begin.', max_length=251),
        ),
        migrations.AddField(
            model_name='preferences',
            name='keep_history',
            field=models.BooleanField(db_default=True, default=True, help_text='Else new conversations begin as temporary ones.'),
        ),
        migrations.AddField(
            model_name='preferences',
            name='system_prompt',
            field=models.CharField(blank=True, db_default='', default='', help_text='Told to the model before every conversation.', max_length=4000),
        ),
        migrations.AddField(
            model_name='preferences',
            name='use_caches',
            field=models.BooleanField(db_default=True, default=True, verbose_name='answer and show pages from the caches'),
        ),
        migrations.AddField(
            model_name='reply',
            name='instead_of',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(condition=models.Q(('temporary', True)), fields=['last_message_at'], name='conversation_temporary'),
        ),
        migrations.RunSQL(
            KEEP.replace("{condition}", " AND NOT temporary"), KEEP.replace("{condition}", "")
        ),
    ]
