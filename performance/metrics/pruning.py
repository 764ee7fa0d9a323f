"""Deletes rows that are older than the settings keep, a batch at a time, oldest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from performance import conf
from performance.metrics import rows
from performance.models import MetricBucket, MetricSeries

BATCH = 10_000
"""Rows that one statement deletes: short locks, and nobody waits for the whole."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went."""

    minutes: int
    hours: int
    series: int


def prune(progress: Callable[[int], None] = lambda deleted: None) -> Pruned:
    """Deletes what is too old. `progress(deleted)` is called after each batch. Raises DatabaseError."""
    settings, now = conf.current().metrics, timezone.now()
    oldest_hour = now - timedelta(days=settings.keep_hours)
    return Pruned(
        minutes=_delete(rows.MINUTE, now - timedelta(hours=settings.keep_minutes), progress),
        hours=_delete(rows.HOUR, oldest_hour, progress),
        series=_delete_series(oldest_hour),
    )


def _delete(resolution: int, before: datetime, progress: Callable[[int], None]) -> int:
    deleted = 0
    old = MetricBucket.objects.filter(resolution=resolution, start__lt=before).order_by("start")
    while True:
        # Without a collector: nothing points at a bucket.
        batch = MetricBucket.objects.filter(pk__in=old.values("pk")[:BATCH])
        gone = int(batch._raw_delete(batch.db))  # noqa: SLF001 - one statement, no SELECT before
        deleted += gone
        progress(deleted)
        if gone < BATCH:
            return deleted


def _delete_series(before: datetime) -> int:
    """Series of which nothing is left; one that is recorded again is registered again."""
    left = Exists(MetricBucket.objects.filter(series=OuterRef("pk")))
    deleted, _ = MetricSeries.objects.filter(~left, first_seen__lt=before).delete()
    return int(deleted)
