"""What a rule would have done: its values over a span of the past, run through the same machine."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from performance.alerts import episodes
from performance.alerts.evaluate import Episode, Kind, step
from performance.alerts.expressions import Labels, Part, absent
from performance.alerts.measuring import check, selections, sum_of, values
from performance.metrics.reading import Line, read_many
from performance.models import AlertRule
from performance.models.alert_rules import Aggregation

DAY = timedelta(days=1)
TICK = timedelta(minutes=1)
MOST_TICKS = 1440
MOST_LINES = 12
MOST_MERGES = 100_000


@dataclass(frozen=True, slots=True)
class Firing:
    """One time that it would have fired; `end` is None where it still does."""

    start: datetime
    end: datetime | None
    peak: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """One set of labels: its values, oldest first, and when it would have fired."""

    labels: dict[str, str]
    points: list[tuple[datetime, float | None]]
    firings: list[Firing]


@dataclass(frozen=True, slots=True)
class Preview:
    """`courses`: the worst first. `more`: sets of labels that are not drawn, yet counted."""

    since: datetime
    until: datetime
    tick: timedelta
    courses: list[Course]
    fired: int
    more: int = 0


def preview(
    rule: AlertRule, until: datetime, *, span: timedelta = DAY, labels: dict[str, str] | None = None
) -> Preview:
    """The rule over `span`, judged once each tick (a minute for a day); `labels`: one course alone.

    Raises MetricsUnavailable where nothing can be read, ValueError on a rule that is none.
    """
    check(rule)
    tick = max(TICK, span / MOST_TICKS)
    until = datetime.fromtimestamp(until.timestamp() // 60 * 60, until.tzinfo)
    since = until - span
    lines = _lines(rule, since, until, tick)
    ticks = [since + tick * number for number in range(1, round(span / tick) + 1)]
    courses = _courses(rule, lines, ticks, tick)
    if labels is not None:
        courses = [course for course in courses if course.labels == labels]
    courses.sort(key=lambda course: _badness(rule, course), reverse=True)
    fired = sum(len(course.firings) for course in courses)
    shown, more = courses[:MOST_LINES], max(0, len(courses) - MOST_LINES)
    return Preview(since, until, tick, shown, fired, more)


def _lines(
    rule: AlertRule, since: datetime, until: datetime, tick: timedelta
) -> list[tuple[str, list[Line]]]:
    """The lines of each metric of the rule with its aggregation; points begin where ticks do."""
    before = since - tick * _width(rule, tick)
    wanted = [replace(one, step=tick) for one in selections(rule, until, before)]
    kinds = [rule.aggregation, *([rule.divisor_aggregation] * len(rule.divisors))]
    return list(zip(kinds, read_many(wanted), strict=True))


def _width(rule: AlertRule, tick: timedelta) -> int:
    """Points of a window; a window shorter than a tick is drawn as one."""
    return math.ceil(timedelta(seconds=rule.window) / tick)


def _courses(
    rule: AlertRule,
    lines: list[tuple[str, list[Line]]],
    ticks: list[datetime],
    tick: timedelta,
) -> list[Course]:
    width = _width(rule, tick)
    labels = {tuple(sorted(line.labels.items())) for _, found in lines for line in found}
    points: dict[Labels, list[tuple[datetime, float | None]]] = {one: [] for one in labels}
    nothing = absent(rule)
    stride = _stride(sum(len(found) for _, found in lines) * width * len(ticks), width)
    for number, moment in list(enumerate(ticks))[stride - 1 :: stride]:
        parts = [_part(each, number, width, kind) for kind, each in lines]
        found = {measured.labels: measured.value for measured in values(rule, parts)}
        for one in {*points, *found}:
            points.setdefault(one, []).append((moment, found.get(one, nothing)))
    return [Course(dict(labels), found, _firings(rule, found)) for labels, found in points.items()]


def _stride(merges: int, width: int) -> int:
    """Every how many ticks the rule is judged: a page must not take seconds."""
    return 1 if merges <= MOST_MERGES else min(width, math.ceil(merges / MOST_MERGES))


def _part(lines: Iterable[Line], number: int, width: int, aggregation: str) -> Part:
    """The summaries of the window that ends with tick `number`; before tick 0 lie `width` points."""
    part: Part = {}
    for line in lines:
        window = [p.summary for p in line.points[number + 1 : number + 1 + width]]
        window = [summary for summary in window if summary.count]
        if window:
            whole = window[-1] if aggregation == Aggregation.LAST else sum_of(window)
            part[tuple(sorted(line.labels.items()))] = whole
    return part


def _firings(rule: AlertRule, points: Iterable[tuple[datetime, float | None]]) -> list[Firing]:
    terms = episodes.terms_of(rule)
    episode: Episode | None = None
    found: list[Firing] = []
    for moment, value in points:
        episode, kinds = step(episode, value, moment, terms)
        if {Kind.FIRED, Kind.REOPENED} & set(kinds):
            found.append(Firing(moment, None, value))
        if found and found[-1].end is None and episode is not None:
            found[-1] = replace(found[-1], peak=episode.peak, end=episode.resolved_at)
    return found


def _badness(rule: AlertRule, course: Course) -> tuple[int, float]:
    known = [value for _, value in course.points if value is not None]
    worst = (max(known) if rule.is_upper else -min(known)) if known else float("-inf")
    return len(course.firings), worst
