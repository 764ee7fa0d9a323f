"""Access of staff to what was said, with a log that is only added to.

The admin's own log named conversations by their titles: those words go.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

REFUSE = """
CREATE FUNCTION conversations_supportaccessevent_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of support access are only added, never changed or deleted';
END
$$;
CREATE TRIGGER conversations_supportaccessevent_kept
    BEFORE UPDATE OR DELETE ON conversations_supportaccessevent
    FOR EACH ROW EXECUTE FUNCTION conversations_supportaccessevent_kept();
"""
RELEASE = """
DROP TRIGGER conversations_supportaccessevent_kept ON conversations_supportaccessevent;
DROP FUNCTION conversations_supportaccessevent_kept();
"""
UNNAME = """
UPDATE django_admin_log SET object_repr = '(private)' FROM django_content_type t
WHERE t.id = content_type_id AND t.app_label = 'conversations' AND t.model IN ('conversation', 'message');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('conversations', '0011_quotas'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SupportAccessEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('consented', 'Consent given'), ('ended', 'Consent taken back'), ('broke_glass', 'Opened without consent'), ('read', 'Read')], max_length=11)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('access_number', models.BigIntegerField()),
                ('owner_number', models.BigIntegerField(help_text='The user whose conversation it is.')),
                ('conversation_number', models.UUIDField(blank=True, help_text='Empty: all of them.', null=True)),
                ('staff_number', models.BigIntegerField(blank=True, null=True)),
                ('staff_name', models.CharField(blank=True, max_length=150)),
                ('reason', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['owner_number', '-id'], name='support_event_of_owner')],
            },
        ),
        migrations.CreateModel(
            name='SupportAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('conversation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='support_accesses', to='conversations.conversation')),
                ('staff', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='support_accesses', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'support accesses',
                'permissions': [('read_with_consent', 'Can read conversations whose users consent'), ('break_glass', 'Can read a conversation without consent, for a reason')],
                'default_permissions': ('view',),
                'constraints': [models.CheckConstraint(condition=models.Q(('staff', None), models.Q(('conversation__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='support_access_without_consent_has_a_reason')],
            },
        ),
        migrations.RunSQL(REFUSE, RELEASE),
        migrations.RunSQL(UNNAME, migrations.RunSQL.noop),
    ]
