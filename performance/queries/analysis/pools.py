"""How this project's processes waited for connections: read from the metrics that they recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError
from django.utils import timezone

from performance.metrics import MetricsUnavailable
from performance.metrics.reading import Selection, Summary, read_many


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One alias's pools over a period, those of all processes together."""

    waits: int  # times that a connection was asked for
    p95: float  # seconds until it was there
    most_waiting: int  # callers at one moment
    timeouts: int  # waits that were given up
    lost: int  # connections found broken


def pool_of(alias: str, since: timedelta) -> Pool | None:
    """The pool of `alias` over the last `since`; None where none was measured or metrics cannot be read."""
    until = timezone.now()
    wanted = [
        Selection(name=name, since=until - since, until=until, labels={"alias": alias} | labels)
        for name, labels in (
            ("connection_wait_seconds", {}),
            ("pool_connections", {"state": "waiting"}),
            ("pool_timeouts", {}),
            ("pool_connections_lost", {}),
        )
    ]
    try:
        lines = read_many(wanted)
    except (MetricsUnavailable, DatabaseError):
        return None
    wait, waiting, timeouts, lost = (found[0].points[0].summary for found in lines)
    if not any(one.count for one in (wait, waiting, timeouts, lost)):
        return None
    return Pool(
        waits=round(wait.count), p95=wait.quantile(0.95) or 0.0, timeouts=round(timeouts.sum),
        most_waiting=_most(waiting), lost=round(lost.sum),
    )  # fmt: skip


def _most(level: Summary) -> int:
    return round(level.max) if level.count else 0
