"""A link by which anybody may read one conversation as it stood when the link was made.

The link holds a secret of 256 bits, of which only the SHA-256 is stored: who reads the database or a
backup of it cannot open a link, and its owner sees it once.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.branches import Branch
from conversations.models.conversations import TITLE_LENGTH, Conversation


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def working(self, most_days: int | None) -> Self:
        """Those that open now: neither revoked nor expired, of an owner whose account is active.

        `most_days` is what the site allows at present: it holds for links made before it was set.
        """
        now = timezone.now()
        found = self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, user__is_active=True
        )
        if most_days is None:
            return found
        return found.filter(created_at__gt=now - timedelta(days=most_days))

    def ended(self, before: datetime) -> Self:
        """Revoked or expired before that moment, by themselves: what the site allows may change back."""
        return self.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before))

    def of_secret(self, secret: str) -> Self:
        return self.filter(digest=digest_of(secret))

    def newest_first(self, before: int | None = None) -> Self:
        """Those made before link number `before`, of all where there is none."""
        found = self.order_by("-pk")
        return found if before is None else found.filter(pk__lt=before)

    def revoke(self) -> int:
        """Ends those that are not ended yet. Returns how many."""
        return self.filter(revoked_at=None).update(revoked_at=Now())


class ShareLink(models.Model):
    """`last_place` is the last message shown, on the way that leads to it along `branch`.

    Messages said later are not shown, nor answers that were finished or changed after `shown_until`,
    when the owner looked at the preview. `title` is what the conversation was called then: what its owner
    calls it later is for them alone.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="share_links", db_index=False
    )
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="share_links")
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="+")
    last_place = models.PositiveIntegerField()
    shown_until = models.DateTimeField()
    title = models.CharField(max_length=TITLE_LENGTH, blank=True, default="", db_default="")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    with_tools = models.BooleanField(
        _("tool calls shown"), default=False, help_text="With their arguments and results."
    )
    with_name = models.BooleanField(_("user name shown"), default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    opens = models.PositiveIntegerField(
        default=0, help_text="Of its first page: by people, by programs, by the owner."
    )
    last_opened_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        permissions = [("revoke_sharelink", "Can revoke share links")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"], name="share_link_once_per_key"
            )
        ]
        indexes = [models.Index(fields=["user", "-id"], name="share_link_newest_first")]

    def __str__(self) -> str:
        return f"Share link {self.pk}"

    def ends_at(self, most_days: int | None) -> datetime | None:
        """When it stops to work, by its own expiry or the site's longest; None: it does not."""
        longest = self.created_at + timedelta(days=most_days) if most_days is not None else None
        return min(filter(None, [self.expires_at, longest]), default=None)

    def count_open(self) -> None:
        type(self).objects.filter(pk=self.pk).update(opens=F("opens") + 1, last_opened_at=Now())


class SharingPolicy(models.Model):
    """What staff allow of sharing, from the next request on: one row, or none for the settings' own.

    The environment comes first: what it turns off or limits, nobody can allow here.
    """

    enabled = models.BooleanField(
        _("sharing is on"), default=True, help_text="Off: no link opens and none can be made."
    )
    most_days = models.PositiveSmallIntegerField(
        _("longest life in days"),
        null=True,
        blank=True,
        help_text="Of links made before this was set as well. Empty: no limit, links may last for ever.",
    )

    class Meta:
        verbose_name_plural = "sharing policy"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="sharing_policy_is_one_row")]

    def __str__(self) -> str:
        return "Sharing policy"


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
