"""When staff may read what a user wrote: by the user's consent, or by breaking the glass for a reason.

Conversations are private from staff as from everybody else. An access opens one of them, or all of a
user's, for a time. Who opened, ended or used one is written down, in rows that the database itself
refuses to change or delete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.conversations import Conversation

if TYPE_CHECKING:
    from django.contrib.auth.models import User

REASON_LENGTH = 500


class SupportAccessQuerySet(models.QuerySet["SupportAccess"]):
    def open_now(self) -> Self:
        return self.filter(ended_at=None, expires_at__gt=timezone.now())

    def to_read(self, conversation: Conversation, staff: User) -> Self:
        """Those by which this member of staff may read the conversation now."""
        covers = Q(conversation=None) | Q(conversation=conversation)
        by_them = Q(staff=None) | Q(staff=staff)
        return self.open_now().filter(covers, by_them, user=conversation.user_id)

    def end(self) -> int:
        """Ends those that are open. Returns how many."""
        return self.open_now().update(ended_at=Now())


class SupportAccess(models.Model):
    """`user` owns what is read. Without a conversation it is for all of theirs.

    With `staff` it is that person's who broke the glass, for a reason; without, the user consented.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="support_accesses"
    )
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, null=True, blank=True, related_name="support_accesses"
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SupportAccessQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "support accesses"
        default_permissions = ("view",)
        permissions = [
            ("read_with_consent", "Can read conversations whose users consent"),
            ("break_glass", "Can read a conversation without consent, for a reason"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(staff=None) | (Q(conversation__isnull=False) & ~Q(reason="")),
                name="support_access_without_consent_has_a_reason",
            )
        ]

    def __str__(self) -> str:
        return f"Support access {self.pk}"

    @property
    def is_by_consent(self) -> bool:
        return self.staff_id is None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None and self.expires_at > timezone.now()


class SupportAccessEvent(models.Model):
    """What happened with an access. Numbers instead of foreign keys: rows outlive what they name."""

    class Kind(models.TextChoices):
        CONSENTED = "consented", _("Consent given")
        ENDED = "ended", _("Consent taken back")
        BROKE_GLASS = "broke_glass", _("Opened without consent")
        READ = "read", _("Read")

    kind = models.CharField(max_length=11, choices=Kind)
    at = models.DateTimeField(default=timezone.now, editable=False)
    access_number = models.BigIntegerField()
    owner_number = models.BigIntegerField(help_text="The user whose conversation it is.")
    conversation_number = models.UUIDField(null=True, blank=True, help_text="Empty: all of them.")
    staff_number = models.BigIntegerField(null=True, blank=True)
    staff_name = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["owner_number", "-id"], name="support_event_of_owner")]

    def __str__(self) -> str:
        return f"Support access {self.access_number}: {self.kind}"
