"""A user's own usage: by day for a month, and by month for a year; one query each, of indexed sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from conversations.models import DailyUsage
from conversations.models.usage import SUMS, day_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DAYS = 31
MONTHS = 12

Row = dict[str, Any]


def by_day(user: User) -> list[Row]:
    """The days of the last month on which anything was used, the newest first."""
    since = _today() - timedelta(days=DAYS - 1)
    rows = DailyUsage.objects.filter(user=user, day__gte=since)
    return _summed(rows.values("day", "currency"), "day")


def by_month(user: User) -> list[Row]:
    """The months of the last year in which anything was used, the newest first."""
    since = _months_ago(_today(), MONTHS - 1)
    rows = DailyUsage.objects.filter(user=user, day__gte=since).annotate(month=TruncMonth("day"))
    return _summed(rows.values("month", "currency"), "month")


def _summed(rows: Any, by: str) -> list[Row]:
    sums = rows.annotate(**{f"sum_{name}": Sum(name) for name in SUMS})
    return [dict(_named(row, by)) for row in sums.order_by(F(by).desc(), "currency")]


def _named(row: Row, by: str) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        yield name.removeprefix("sum_"), value
    yield "tokens", row["sum_input_tokens"] + row["sum_output_tokens"]
    yield "since", row[by]


def _today() -> date:
    return day_of(timezone.now())


def _months_ago(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)
