"""A course of values as the geometry of a picture; the template makes SVG of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from performance.alerts import messages
from performance.alerts.preview import Course, Preview
from performance.models import AlertRule

WIDTH, HEIGHT = 720.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 96.0, 24.0, 12.0, 32.0
HOURS = (1, 2, 3, 6, 12, 24, 48, 168)


@dataclass(frozen=True, slots=True)
class Band:
    """When it would have fired."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A label beside an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything in units of the view box; `paths` break where there is no value."""

    about: str
    paths: list[str]
    bands: list[Band]
    threshold: float
    resolves: float | None
    rows: list[Mark]
    columns: list[Mark]
    course: Course


def draw(rule: AlertRule, preview: Preview) -> list[Picture]:
    """One picture for each course of the preview, all on one scale."""
    top = _top(rule, preview.courses)
    return [_draw(rule, preview, course, top) for course in preview.courses]


def _top(rule: AlertRule, courses: Iterable[Course]) -> float:
    known = [v for course in courses for _, v in course.points if v is not None]
    highest = max([*known, rule.threshold, rule.resolves_at])
    return highest * 1.1 if highest > 0 else 1.0


def _draw(rule: AlertRule, preview: Preview, course: Course, top: float) -> Picture:
    def x(moment: datetime) -> float:
        share = (moment - preview.since) / (preview.until - preview.since)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        share = min(max(value / top, 0.0), 1.0)
        return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)

    bands = [
        Band(x(f.start), max(2.0, round(x(f.end or preview.until) - x(f.start), 1)))
        for f in course.firings
    ]
    resolves = None if rule.resolves_at == rule.threshold else y(rule.resolves_at)
    return Picture(
        about=", ".join(f"{k}={v}" for k, v in sorted(course.labels.items())),
        paths=_paths([(x(m), None if v is None else y(v)) for m, v in course.points]),
        bands=bands,
        threshold=y(rule.threshold),
        resolves=resolves,
        rows=[Mark(y(v), messages.number(rule, v)) for v in (0.0, top / 2, top)],
        columns=[Mark(x(m), f"{m:%H:%M}") for m in _hours(preview)],
        course=course,
    )


def _paths(points: Iterable[tuple[float, float | None]]) -> list[str]:
    paths: list[list[str]] = [[]]
    for across, down in points:
        if down is None:
            paths.append([])
        else:
            paths[-1].append(f"{across},{down}")
    # A lone point would be drawn as nothing.
    return ["M" + " L".join(p if len(p) > 1 else [p[0], p[0]]) for p in paths if p]


def _hours(preview: Preview) -> list[datetime]:
    span = preview.until - preview.since
    every = next((h for h in HOURS if span / timedelta(hours=h) <= 8), HOURS[-1])
    first = preview.since.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    count = math.floor((preview.until - first) / timedelta(hours=every)) + 1
    return [first + timedelta(hours=every) * number for number in range(max(0, count))]
