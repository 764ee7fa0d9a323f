"""An export, of this site or of another service, that a user brought: read by a job, with what became of each conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.attachments import attachment_storage, stored_name

PATIENCE = timedelta(minutes=2)  # without a sign of life the worker is taken for dead
TRIES = 3
KEPT = timedelta(days=30)  # its report has titles, of conversations that may be deleted since


class ImportState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    READING = "reading", _("Being read")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


UNFINISHED = (ImportState.WAITING, ImportState.READING)


class ImportQuerySet(models.QuerySet["Import"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)

    def left(self) -> Self:
        """To be read, and nobody has touched them for long."""
        return self.unfinished().filter(state_at__lt=timezone.now() - PATIENCE)

    def past(self) -> Self:
        """Those that have been over for as long as their reports are kept."""
        over = self.exclude(state__in=UNFINISHED)
        return over.filter(state_at__lt=timezone.now() - KEPT)

    def wait_anew(self, pks: Sequence[int]) -> None:
        """Those of them that are still in this set can be claimed from now on, and are left again after as long."""
        self.filter(pk__in=pks).update(state=ImportState.WAITING, state_at=timezone.now())

    def claim(self, pk: int) -> bool:
        """Takes one to be read. False where another worker has it, or it is done."""
        now = timezone.now()
        idle = Q(state=ImportState.WAITING) | Q(
            state=ImportState.READING, state_at__lt=now - PATIENCE
        )
        changes = {"state": ImportState.READING, "state_at": now, "tries": F("tries") + 1}
        return self.filter(idle, pk=pk).update(**changes) == 1


class Import(models.Model):
    """`words` say what is wrong where `problem` is "refused", in the `language` of who brought it.

    `total` is how many conversations the file has (0: not counted yet), `seen` how far it is read.

    `report` lists those that need a word: what was left out of them, or why they were not taken.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="imports")
    file = models.FileField(
        storage=attachment_storage, upload_to=stored_name, max_length=200, blank=True
    )
    state = models.CharField(max_length=7, choices=ImportState, default=ImportState.WAITING)
    state_at = models.DateTimeField(default=timezone.now, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    problem = models.CharField(max_length=30, blank=True)
    words = models.TextField(blank=True, editable=False)
    language = models.CharField(max_length=10, blank=True, editable=False)
    total = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    already = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    message_count = models.PositiveIntegerField(default=0)
    report: Any = models.JSONField(default=list)
    preferences: Any = models.JSONField(
        default=dict, editable=False, help_text="Brought with the file, and not decided on yet."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ImportQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Import {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("conversations:import", args=[self.pk])

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED
