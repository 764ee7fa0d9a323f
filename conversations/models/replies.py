"""A reply is an assistant's message being made, by numbered attempts of which the newest may write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations.models.messages import Message
from conversations.models.site import SystemPrompt, ToolSwitch

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from conversations.models.tool_runs import ToolRun

# A running attempt writes a checkpoint every 2 s; after this long without one it is taken for dead.
SILENCE = timedelta(seconds=20)


class Status(models.TextChoices):
    PENDING = "pending", "Waiting"
    RUNNING = "running", "Writing"
    ASKING = "asking", "Asking for permission"
    COMPLETE = "complete", "Complete"
    STOPPED = "stopped", "Stopped"
    FAILED = "failed", "Failed"


LIVE = (Status.PENDING, Status.RUNNING)  # a worker has it or will get it
OPEN = (*LIVE, Status.ASKING)  # there is more to come


class ReplyQuerySet(models.QuerySet["Reply"]):
    def live(self) -> Self:
        return self.filter(status__in=LIVE)

    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def for_attempt(self) -> Self:
        """With what its user, its conversation and the site want of an answer, in one query.

        The site's choices are `site_prompt`, for SitePrompt.of(), and `tools_off`.
        """
        asked = self.select_related("message__branch", "message__conversation__user__preferences")
        return asked.annotate(site_prompt=SystemPrompt.beside(), tools_off=ToolSwitch.beside())

    def ahead_of(self, message_id: int) -> int:
        """How many replies wait longer than the one of this message; 0 where it does not wait."""
        since = self.filter(message=message_id, status=Status.PENDING).values("pending_since")
        return self.filter(status=Status.PENDING, pending_since__lt=since[:1]).count()

    def waiting(self, most: int) -> Iterator[tuple[UUID, int, datetime]]:
        """(conversation, message, since when) of those that a queue has taken and no worker yet.

        Those that wait longest, `most` of them at the most.
        """
        queued = self.filter(status=Status.PENDING, enqueued_at__isnull=False)
        fields = ("message__conversation_id", "message_id", "pending_since")
        return queued.values_list(*fields).order_by("pending_since")[:most].iterator()

    def silent(self) -> Self:
        """Running, but no checkpoint for too long: the worker is gone."""
        return self.filter(status=Status.RUNNING, beat_at__lt=timezone.now() - SILENCE)

    def overdue(self, wait: timedelta) -> Self:
        """Pending and not enqueued, or enqueued `wait` ago and perhaps lost.

        Each time costs twice the patience of the last, so a long queue is not filled with copies.
        """
        now = timezone.now()
        lately = ExpressionWrapper(now - F("enqueued_at"), models.DurationField())
        before = ExpressionWrapper(F("enqueued_at") - F("pending_since"), models.DurationField())
        return (
            self.filter(status=Status.PENDING)
            .alias(lately=lately, before=before)
            .filter(Q(enqueued_at=None) | Q(lately__gt=wait, lately__gte=F("before")))
        )

    def begin(self, pk: int, attempt: int, **fields: object) -> bool:
        """Claims attempt number `attempt`. False where another run has claimed it, or it was stopped."""
        now = timezone.now()
        claimed = self.filter(pk=pk, attempt=attempt - 1, status=Status.PENDING).update(
            attempt=attempt,
            status=Status.RUNNING,
            started_at=now,
            beat_at=now,
            waits_until=None,
            stream_start="",  # that of the attempt before says nothing of this one
            **fields,
        )
        return claimed == 1

    def write(self, pk: int, attempt: int, **fields: object) -> bool:
        """Changes the reply if `attempt` is still the newest and running. False where it is not."""
        return self.filter(pk=pk, attempt=attempt, status=Status.RUNNING).update(**fields) == 1


class Reply(models.Model):
    """Counts are tokens; times are of the newest attempt.

    `cached_tokens` are those of the input that the provider had in a cache of its own, and where it
    counted nothing `tokens_estimated` says so. `cost` is of all attempts that the answer goes on
    from, at the prices of a million tokens that held then; the `saved_` fields are what an answer
    from our cache would have taken.

    `backend` and `model` are those that it was asked of, once it has begun those that write it; `instead_of`
    is the model that was wanted where that was not offered any more.
    `fresh` goes past the cache of answers; `cached_at` is when an answer from there was written.
    `stream_start` is the id in the event stream after which this attempt's frames stand, `frames` how
    many they were before its end was told.
    `continues` says that the next attempt goes on from the text that is there, and `turns` is what
    model and tools said to each other before one of them had to ask for permission (JSON).

    `prompt` is the version of the site's system prompt, 0 for the one in the settings. While it waits
    for its provider's limits, `waits_until` is when its turn is thought to come.

    Its stages: `pending_since` (sent), `started_at` (picked up by a worker), `asked_at` (the backend
    was asked), `first_event_at` (it said anything), `first_text_at`, `published_at` (the first text
    was with all who watch), `finished_at`.
    """

    message = models.OneToOneField(Message, models.CASCADE, related_name="reply")
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    attempt = models.PositiveIntegerField(default=0)
    backend = models.CharField(max_length=50, default="default")
    model = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=100, blank=True)
    instead_of = models.CharField(max_length=200, blank=True, default="", db_default="")
    error = models.CharField(max_length=50, blank=True)
    explanation = models.TextField(blank=True)
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(null=True, blank=True)
    tokens_estimated = models.BooleanField(default=False, db_default=False)
    cost = models.DecimalField(max_digits=20, decimal_places=9, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, db_default="")
    input_price = models.DecimalField(max_digits=13, decimal_places=6, null=True, blank=True)
    cached_price = models.DecimalField(max_digits=13, decimal_places=6, null=True, blank=True)
    output_price = models.DecimalField(max_digits=13, decimal_places=6, null=True, blank=True)
    saved_tokens = models.PositiveIntegerField(null=True, blank=True)
    saved_cost = models.DecimalField(max_digits=20, decimal_places=9, null=True, blank=True)
    prompt = models.PositiveIntegerField(default=0, db_default=0)
    correlation_id = models.CharField(max_length=64, blank=True)
    stream_start = models.CharField(max_length=40, blank=True)
    frames = models.PositiveIntegerField(null=True, blank=True)
    fresh = models.BooleanField(default=False)
    cached_at = models.DateTimeField(null=True, blank=True)
    continues = models.BooleanField(default=False)
    turns = models.TextField(blank=True)
    waits_until = models.DateTimeField(null=True, blank=True)
    stop_requested = models.BooleanField(default=False)
    pending_since = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(default=timezone.now, null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    first_event_at = models.DateTimeField(null=True, blank=True)
    first_text_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)

    objects = ReplyQuerySet.as_manager()

    if TYPE_CHECKING:
        tool_runs: RelatedManager[ToolRun]

    class Meta:
        verbose_name_plural = "replies"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="reply_status_is_known"
            )
        ]
        indexes = [
            models.Index(
                fields=["pending_since"],
                name="reply_live",
                condition=Q(status__in=[Status.PENDING, Status.RUNNING]),
            ),
            # Few at any time: without it every message that is sent reads all replies there are.
            models.Index(fields=["message"], name="reply_open", condition=Q(status__in=OPEN)),
            models.Index(
                fields=["correlation_id"], name="reply_correlation", condition=~Q(correlation_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"Reply {self.pk}, {self.get_status_display().lower()}"

    @property
    def is_full(self) -> bool:
        """As long as this site keeps an answer: there is nothing to continue."""
        return self.error == "too_long"

    @property
    def stages(self) -> tuple[tuple[str, int], ...]:
        """Each stage of the newest attempt and how long it took in milliseconds, in their order.

        A stage whose ends were not both seen is left out: an answer from the cache asks no backend.
        """
        ends = [
            (gettext_noop("queue"), self.pending_since, self.started_at),
            (gettext_noop("pick-up"), self.started_at, self.asked_at or self.first_text_at),
            (gettext_noop("provider"), self.asked_at, self.first_event_at),
            (gettext_noop("first text"), self.first_event_at, self.first_text_at),
            (gettext_noop("delivery"), self.first_text_at, self.published_at),
            (gettext_noop("writing"), self.published_at, self.finished_at),
        ]
        return tuple(
            (name, max(0, round((end - start) / timedelta(milliseconds=1))))
            for name, start, end in ends
            if start and end
        )

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_held_up(self) -> bool:
        """Pending, and no queue has taken it yet."""
        return self.status == Status.PENDING and self.enqueued_at is None
