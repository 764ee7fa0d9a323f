"""Every conversation that has messages becomes one branch of them, in the order they came."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

ONE_BRANCH_EACH = """
INSERT INTO conversations_branch (conversation_id, fork, shown_at)
    SELECT id, 0, last_message_at FROM conversations_conversation c
    WHERE EXISTS (SELECT FROM conversations_message m WHERE m.conversation_id = c.id);
UPDATE conversations_message m SET branch_id = b.id, place = numbered.place
    FROM conversations_branch b, (
        SELECT id, row_number() OVER (PARTITION BY conversation_id ORDER BY id) AS place
        FROM conversations_message
    ) numbered
    WHERE numbered.id = m.id AND b.conversation_id = m.conversation_id;
-- The columns change below, which PostgreSQL refuses while the check of a foreign key is pending.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_first")]

    operations = [
        migrations.CreateModel(
            name="Branch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fork", models.PositiveIntegerField(default=0, help_text="The place of the last message shared with the parent; 0 without one.")),
                ("shown_at", models.DateTimeField(db_default=Now(), editable=False)),
                ("conversation", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="branches", to="conversations.conversation")),
                ("parent", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="children", to="conversations.branch")),
            ],
            options={"verbose_name_plural": "branches"},
        ),
        migrations.AddIndex(
            model_name="branch",
            index=models.Index(fields=["conversation", "-shown_at", "-id"], name="branch_shown"),
        ),
        migrations.AddConstraint(
            model_name="branch",
            constraint=models.CheckConstraint(
                condition=models.Q(("fork", 0), ("parent", None)) | models.Q(("fork__gt", 0), ("parent__isnull", False)),
                name="branch_forks_from_its_parent",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="branch",
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name="messages", to="conversations.branch"),
        ),
        migrations.AddField(
            model_name="message",
            name="place",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.RunSQL(ONE_BRANCH_EACH, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="message",
            name="branch",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="messages", to="conversations.branch"),
        ),
        migrations.AlterField(
            model_name="message",
            name="place",
            field=models.PositiveIntegerField(),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("branch", "place"), name="message_once_per_place"),
        ),
        migrations.RemoveIndex(model_name="message", name="message_newest_first"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["conversation", "created_at"], name="message_by_time"),
        ),
    ]
