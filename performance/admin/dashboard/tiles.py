"""The figures on top: how it is now, and how it was at this time the day before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from performance.admin.dashboard.measured import Measured
from performance.figures import Unit

Trend = Literal["", "better", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """`anchor` is the section of the page that shows more."""

    title: str
    unit: Unit
    anchor: str
    value: float | None
    before: float | None
    trend: Trend = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """`good` tells which way is better: -1 less, 1 more, 0 neither.

    A difference matters beyond `least`, and beyond the share `notable` of the day before.
    """

    title: str
    unit: Unit
    anchor: str
    of: Callable[[Measured], float | None]
    good: int = -1
    least: float = 0.0
    notable: float = 0.5


def tiles(now: Measured, before: Measured) -> list[Tile]:
    """All tiles: `now` is the last minute or so, `before` the time around it the day before."""
    return [_tile(kind, kind.of(now), kind.of(before)) for kind in _KINDS]


def _tile(kind: _Kind, value: float | None, before: float | None) -> Tile:
    return Tile(
        title=kind.title,
        unit=kind.unit,
        anchor=kind.anchor,
        value=value,
        before=before,
        trend=_trend(value, before, kind),
    )


def _trend(value: float | None, before: float | None, kind: _Kind) -> Trend:
    if value is None or before is None:
        return ""
    difference = value - before
    if abs(difference) <= max(kind.notable * abs(before), kind.least):
        return ""
    return "better" if difference * kind.good > 0 else "worse" if kind.good else ""


def _requests(found: Measured) -> float | None:
    return None if found.empty else found.whole("requests").rate(found.span.seconds)


def _errors(found: Measured) -> float | None:
    requests = found.whole("requests").count
    return found.whole("requests", status="5xx").count / requests if requests else None


def _p95(key: str) -> Callable[[Measured], float | None]:
    return lambda found: found.whole(key).quantile(0.95)


def _hit_rate(found: Measured) -> float | None:
    hits = found.whole("cache_hits").count
    asked = hits + found.whole("cache_misses").count
    return hits / asked if asked else None


def _most(key: str) -> Callable[[Measured], float | None]:
    def found_most(found: Measured) -> float | None:
        summaries = [found.whole(key, level=name) for name in found.labels(key, "level")]
        return max((one.max for one in summaries if one.count), default=None)

    return found_most


def _waiting(found: Measured) -> float | None:
    """The levels' largest samples together."""
    summaries = [
        found.whole("queue_length", level=n) for n in found.labels("queue_length", "level")
    ]
    return sum(one.max for one in summaries if one.count) if summaries else None


_KINDS = (
    _Kind(title="Requests", unit="rate", anchor="requests", of=_requests, good=0),
    _Kind(title="Failed", unit="ratio", anchor="requests", of=_errors, least=0.01),
    _Kind(title="Latency p95", unit="seconds", anchor="requests", of=_p95("requests"), least=0.05),
    _Kind(title="Database p95", unit="seconds", anchor="database", of=_p95("database"), least=0.03),
    _Kind(title="Cache hits", unit="ratio", anchor="caches", of=_hit_rate, good=1, least=0.1, notable=0),
    _Kind(title="Jobs waiting", unit="count", anchor="queues", of=_waiting, least=10),
    _Kind(title="Oldest job", unit="seconds", anchor="queues", of=_most("queue_oldest"), least=5),
    _Kind(title="First token p95", unit="seconds", anchor="chat", of=_p95("first_token"), least=0.3),
)  # fmt: skip
