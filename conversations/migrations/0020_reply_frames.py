from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0019_share_link_title")]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="frames",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
