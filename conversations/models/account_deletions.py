"""An account on its way out: it is closed at once, and erased in batches by a task."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

# A run writes a beat with each batch; after this long without one its worker is taken for dead.
SILENCE = timedelta(seconds=60)


class AccountDeletionQuerySet(models.QuerySet["AccountDeletion"]):
    def unfinished(self) -> Self:
        return self.filter(finished_at=None)

    def idle(self) -> Self:
        """Unfinished, and no worker is at it."""
        silent = Q(beat_at=None) | Q(beat_at__lt=timezone.now() - SILENCE)
        return self.unfinished().filter(silent)

    def claim(self, pk: int) -> bool:
        """Takes it for one run. False where another worker is at it, or it is done."""
        return self.idle().filter(pk=pk).update(beat_at=timezone.now()) == 1


class AccountDeletion(models.Model):
    """Numbers alone, no name: the row stays when the user has gone. Counts are conversations."""

    user_number = models.BigIntegerField(unique=True)
    by_number = models.BigIntegerField(help_text="Who asked for it: the user, or staff.")
    total = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    beat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = AccountDeletionQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["requested_at"],
                name="account_deletion_unfinished",
                condition=Q(finished_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"Deletion of account {self.user_number}"

    @property
    def deleted(self) -> int:
        return self.total - self.left

    def beat(self, **changes: object) -> None:
        type(self).objects.filter(pk=self.pk).update(beat_at=timezone.now(), **changes)
