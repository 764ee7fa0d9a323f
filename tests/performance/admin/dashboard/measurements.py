"""Readings made by hand, for what is built from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from performance.admin.dashboard.measured import Measured
from performance.admin.dashboard.spans import MINUTE, Span
from performance.metrics.reading import Line, Point, Summary

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
SPAN = Span(since=START, until=START + 3 * MINUTE, step=MINUTE)


def counted(n: float) -> Summary:
    summary = Summary()
    summary.add(n)
    return summary


def observed(*values: float) -> Summary:
    summary = Summary()
    for value in values:
        summary.observe(value)
    return summary


def sampled(value: float) -> Summary:
    summary = Summary()
    summary.level(value)
    return summary


def line(steps: Sequence[Summary | None], /, **labels: str) -> Line:
    """One summary a minute from START on; None is a gap, as reading answers it: an empty one."""
    points = [
        Point(START + MINUTE * number, step or Summary()) for number, step in enumerate(steps)
    ]
    return Line(labels, points)


def measured(span: Span = SPAN, /, **lines: list[Line]) -> Measured:
    return Measured(span, lines)


def shifted(lines: list[Line], by: timedelta) -> list[Line]:
    return [Line(one.labels, [Point(p.start + by, p.summary) for p in one.points]) for one in lines]
