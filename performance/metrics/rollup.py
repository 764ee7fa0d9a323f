"""Turns live slots into rows of minutes, and minutes into rows of hours.

Whole minutes are computed anew from all their slots, so it may run twice, late, or on two workers:
the rows come out the same. What a process could send only later (Redis was away) is added when it is
there: the last LATE minutes are looked at each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Max, Min, QuerySet

from performance import conf
from performance.metrics import live, rows, slots
from performance.metrics.definitions import Kind
from performance.metrics.series import Series
from performance.metrics.spans import HOUR
from performance.metrics.summary import Summary
from performance.models import MetricBucket, MetricSeries

SETTLE = 5.0
"""Seconds after its end from which a minute counts as complete."""
LATE = 10
_LOCK = 0x6D657472  # of pg_try_advisory_xact_lock: any number that is ours

Found = dict[Series, tuple[Kind, Summary]]

_SLOTS_A_MINUTE = 60 // slots.SECONDS


@dataclass(frozen=True, slots=True)
class Result:
    """How many minutes were looked at and how many rows are new or have grown.

    `busy`: another process is rolling up; nothing was done.
    """

    minutes: int = 0
    minute_rows: int = 0
    hour_rows: int = 0
    busy: bool = False


def roll_up(progress: Callable[[int, int], None] = lambda done, of: None) -> Result:
    """Rolls up all complete minutes. `progress(done, of)` is called after each minute.

    Raises MetricsUnavailable and DatabaseError; what was not rolled up is when it is called again.
    """
    now = time.time()
    minutes = _due(now)
    minute_rows = hour_rows = 0
    for done, minute in enumerate(minutes, 1):
        with transaction.atomic():
            if not _alone():
                return Result(done - 1, minute_rows, hour_rows, busy=True)
            changed = _roll_minute(minute)
            minute_rows += len(changed)
            hour_rows += _mend_hour(_hour_of(minute), {series for series, _ in changed})
        progress(done, len(minutes))
    for hour in _hours_due(now):
        with transaction.atomic():
            if not _alone():
                return Result(len(minutes), minute_rows, hour_rows, busy=True)
            hour_rows += _roll_hour(hour, _series_in(hour))
    return Result(len(minutes), minute_rows, hour_rows)


def _due(now: float) -> range:
    """Unix times of the minutes to compute."""
    end = int((now - SETTLE) // 60) * 60
    oldest = end - conf.current().metrics.keep_live // 60 * 60
    newest = _newest(MetricBucket.objects.minutes(), datetime.fromtimestamp(end, UTC))
    begin = oldest if newest is None else int(newest.timestamp()) - (LATE - 1) * 60
    return range(max(begin, oldest), end, 60)


def _newest(buckets: QuerySet[MetricBucket], before: datetime) -> datetime | None:
    """A clock that once was ahead left rows of times to come: they are not what was done last."""
    found: datetime | None = buckets.filter(start__lt=before).aggregate(newest=Max("start"))[
        "newest"
    ]
    return found


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _roll_minute(minute: int) -> list[tuple[int, datetime]]:
    first = minute // slots.SECONDS
    found: Found = {}
    for _, content in live.read(range(first, first + _SLOTS_A_MINUTE)):
        for series, (kind, summary) in content.items():
            found.setdefault(series, (kind, Summary()))[1].merge(summary)
    if not found:
        return []
    found = _bounded(found)
    rows.register((series, kind) for series, (kind, _) in found.items())
    start = datetime.fromtimestamp(minute, UTC)
    return rows.write(
        rows.MINUTE,
        (rows.Bucket(series.id, start, summary) for series, (_, summary) in found.items()),
    )


def _bounded(found: Found) -> Found:
    """Series that a metric has no room for, merged into its `other`.

    Each process bounds its own; those that come and go could still bring new ones for ever.
    """
    known: dict[str, set[int]] = {}
    names = {series.name for series in found}
    for name, number in MetricSeries.objects.filter(name__in=names).values_list("name", "id"):
        known.setdefault(name, set()).add(number)
    most = conf.current().metrics.most_series
    kept: Found = {}
    for series in sorted(found, key=lambda one: one.id):
        mine = known.setdefault(series.name, set())
        fits = series.id in mine or len(mine) < most
        home = series if fits else series.other()
        mine.add(home.id)
        kept.setdefault(home, (found[series][0], Summary()))[1].merge(found[series][1])
    return kept


def _hours_due(now: float) -> Iterable[datetime]:
    """Complete hours that have minutes and no row yet: one, or more after an absence."""
    complete = _hour_of(int(now - SETTLE))
    newest = _newest(MetricBucket.objects.hours(), complete)
    minutes = MetricBucket.objects.minutes().filter(start__lt=complete)
    if newest is not None:
        minutes = minutes.filter(start__gte=newest + HOUR)
    found = minutes.aggregate(first=Min("start"))["first"]
    hour = complete if found is None else _hour_of(int(found.timestamp()))
    while hour < complete:
        yield hour
        hour += HOUR


def _hour_of(moment: int) -> datetime:
    return datetime.fromtimestamp(moment // 3600 * 3600, UTC)


def _mend_hour(hour: datetime, changed: set[int]) -> int:
    """A minute that came late changes an hour that was already rolled up."""
    if not changed or not MetricBucket.objects.hours().filter(start=hour).exists():
        return 0
    return _roll_hour(hour, changed)


def _roll_hour(hour: datetime, series: Iterable[int]) -> int:
    wants = [rows.Wanted(one, rows.MINUTE, hour, hour + HOUR) for one in sorted(series)]
    sums: dict[int, Summary] = {}
    for _, bucket in rows.read(wants):
        sums.setdefault(bucket.series, Summary()).merge(bucket.summary)
    return len(
        rows.write(rows.HOUR, (rows.Bucket(one, hour, total) for one, total in sums.items()))
    )


def _series_in(hour: datetime) -> Iterable[int]:
    minutes = MetricBucket.objects.minutes().filter(start__gte=hour, start__lt=hour + HOUR)
    found: Iterable[int] = minutes.order_by().values_list("series_id", flat=True).distinct()
    return found
