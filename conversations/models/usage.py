"""Sums of what answers took, kept up to date as each of them ends: no page adds up messages."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.conversations import Conversation


@dataclass(frozen=True)
class Entry:
    """What one attempt at an answer adds. `estimated` and `saved_answers` are 1 where it was so."""

    messages: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: int = 0
    cost: Decimal = Decimal(0)
    saved_answers: int = 0
    saved_tokens: int = 0
    saved_cost: Decimal = Decimal(0)

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def __bool__(self) -> bool:
        return any(astuple(self))


SUMS = tuple(field.name for field in fields(Entry))


def _count(label: Any) -> models.BigIntegerField[int, int]:
    return models.BigIntegerField(label, default=0, db_default=0)


def _money(label: Any) -> models.DecimalField[Decimal, Decimal]:
    return models.DecimalField(label, max_digits=20, decimal_places=9, default=0, db_default=0)


class Sums(models.Model):
    messages = _count(_("answers"))
    input_tokens = _count(_("tokens read"))
    output_tokens = _count(_("tokens written"))
    cached_tokens = _count(_("of these from the provider's cache"))
    estimated = _count(_("answers with estimated tokens"))
    cost = _money(_("cost"))
    saved_answers = _count(_("answers from the cache"))
    saved_tokens = _count(_("tokens saved"))
    saved_cost = _money(_("cost saved"))
    currency = models.CharField(_("currency"), max_length=3, blank=True)

    class Meta:
        abstract = True

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class ConversationUsage(Sums):
    """Of one conversation, every version and attempt included."""

    conversation = models.OneToOneField(
        Conversation, models.CASCADE, primary_key=True, related_name="usage"
    )

    class Meta:
        verbose_name = _("usage of a conversation")
        verbose_name_plural = _("usage of conversations")

    def __str__(self) -> str:
        return f"{self.tokens} tokens"

    @classmethod
    def add(cls, conversation_id: Any, currency: str, entry: Entry) -> None:
        """Adds to the sums, in one statement."""
        values = {"conversation_id": conversation_id, "currency": currency}
        changes = ["currency = EXCLUDED.currency"]
        _upsert(cls, ("conversation_id",), values, entry, changes)


class DailyUsage(Sums):
    """Of one user with one model on one day (UTC); the `hour_` fields are of its newest hour."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="daily_usage", db_index=False
    )
    day = models.DateField(_("day"))
    backend = models.CharField(_("backend"), max_length=50)
    model = models.CharField(_("model"), max_length=200, blank=True)
    hour = models.DateTimeField(default=timezone.now)
    hour_messages = _count("")
    hour_tokens = _count("")
    hour_cost = _money("")

    class Meta:
        verbose_name = _("usage of a day")
        verbose_name_plural = _("usage by day")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "day", "backend", "model", "currency"], name="usage_once_a_day"
            )
        ]
        indexes = [models.Index(fields=["-day", "-id"], name="usage_newest")]

    def __str__(self) -> str:
        return f"{self.day}: {self.tokens} tokens"

    @classmethod
    def add(cls, user_id: int, backend: str, model: str, currency: str, entry: Entry) -> None:
        """Adds to the sums of today, in one statement."""
        now = timezone.now()
        values = {
            "user_id": user_id,
            "day": day_of(now),
            "backend": backend,
            "model": model,
            "currency": currency,
            "hour": now.replace(minute=0, second=0, microsecond=0),
            "hour_messages": entry.messages,
            "hour_tokens": entry.tokens,
            "hour_cost": entry.cost,
        }
        table = cls._meta.db_table
        changes = ["hour = EXCLUDED.hour"] + [
            f"{name} = EXCLUDED.{name} + CASE WHEN {table}.hour = EXCLUDED.hour THEN {table}.{name} ELSE 0 END"
            for name in ("hour_messages", "hour_tokens", "hour_cost")
        ]
        _upsert(cls, ("user_id", "day", "backend", "model", "currency"), values, entry, changes)


class ChatModel(DailyUsage):
    """No rows of its own: it gives the page of models its address, its permission and its entry."""

    class Meta:
        proxy = True
        verbose_name = _("model")
        verbose_name_plural = _("models")
        default_permissions = ("view",)


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _upsert(
    model: type[Sums],
    key: tuple[str, ...],
    values: dict[str, Any],
    entry: Entry,
    changes: list[str],
) -> None:
    """INSERT, or add to the row that is there: two workers at once lose nothing."""
    table = model._meta.db_table  # noqa: SLF001 - Django documents it
    row = values | dict(zip(SUMS, astuple(entry), strict=True))
    sums = [f"{name} = {table}.{name} + EXCLUDED.{name}" for name in SUMS]
    # Names are the models' own; every value is a parameter.
    statement = (
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(sums + changes)}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, list(row.values()))
