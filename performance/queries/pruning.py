"""Deletes what the query log need not keep, in small pieces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from performance import conf
from performance.models import (
    CallSite,
    QueryFingerprint,
    QueryLogProcess,
    QuerySample,
    QueryStatistics,
)
from performance.queries import scope

AT_ONCE = 5000


def prune() -> int:
    """Deletes rows older than the settings say; answers how many. Raises DatabaseError."""
    settings = conf.current().queries
    now = timezone.now()
    old_samples = now - timedelta(days=settings.keep_samples_days)
    old = now - timedelta(days=settings.keep_statistics_days)
    has_statistics = Exists(QueryStatistics.objects.filter(fingerprint=OuterRef("pk")))
    ignored = QueryFingerprint.Status.IGNORED
    with scope.suspended():
        return sum(
            _delete(rows)
            for rows in (
                QuerySample.objects.filter(at__lt=old_samples),
                QueryStatistics.objects.filter(hour__lt=old),
                CallSite.objects.filter(last_seen__lt=old),
                # What staff chose to ignore is remembered.
                QueryFingerprint.objects.exclude(status=ignored).filter(
                    ~has_statistics, last_seen__lt=old
                ),
                QueryLogProcess.objects.filter(at__lt=now - timedelta(days=1)),
            )
        )


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while keys := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        deleted += rows.model._default_manager.filter(pk__in=keys).delete()[0]  # noqa: SLF001
    return deleted
