"""Errors of each service in the last minutes, from the metrics."""

from __future__ import annotations

from datetime import timedelta

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from performance.health.board import Result
from performance.metrics.reading import MetricsUnavailable, Selection, read_many

PERIOD = timedelta(minutes=5)

Errors = dict[str, int]

# Service: the metric that counts its errors, and the labels that make it one.
_COUNTED: dict[str, tuple[str, dict[str, str]]] = {
    "web": ("request_seconds", {"status": "5xx"}),
    "database": ("query_errors", {}),
    "cache": ("cache_errors", {}),
    "workers": ("task_seconds", {"status": "failed"}),
    "chat": ("chat_backend_errors", {}),
}


def lately(results: list[Result]) -> Errors | None:
    """By service; None where what would know does not answer."""
    if not all(one.is_up for one in results if one.service in {"database", "queue"}):
        return None
    now = timezone.now()
    selections = [
        Selection(name=name, labels=labels, since=now - PERIOD, until=now)
        for name, labels in _COUNTED.values()
    ]
    try:
        lines = read_many(selections)
    except (MetricsUnavailable, DatabaseError, InterfaceError):
        return None
    return {
        service: int(line.points[0].summary.count)
        for service, (line,) in zip(_COUNTED, lines, strict=True)
    }
