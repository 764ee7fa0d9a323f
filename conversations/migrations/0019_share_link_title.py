"""What a shared conversation was called when its link was made; for older links, what it is called now."""

from django.db import migrations, models

FILL = """
UPDATE conversations_sharelink l SET title = c.title
FROM conversations_conversation c WHERE c.id = l.conversation_id;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0018_imports")]

    operations = [
        migrations.AddField(
            model_name="sharelink",
            name="title",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
