"""Reading metrics back: rows for what is past, the live slots for what is not yet in rows.

`read_many` costs at most two queries and one round trip to Redis, however many it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Subquery
from django.utils import timezone

from performance import conf
from performance.metrics import live, rows
from performance.metrics.charts import Chart, Line, Point, Selection, Wish
from performance.metrics.exceptions import MetricsUnavailable
from performance.metrics.slots import SECONDS, Slot
from performance.metrics.spans import HOUR, MINUTE, Kept, Spans, spans_of
from performance.metrics.summary import Summary
from performance.models import MetricBucket, MetricSeries

__all__ = [
    "Line",
    "MetricsUnavailable",
    "Point",
    "Reading",
    "Selection",
    "Summary",
    "read",
    "read_many",
    "read_what_is_there",
]


def read(
    name: str,
    *,
    since: datetime,
    until: datetime,
    labels: Mapping[str, Wish] | None = None,
    group_by: tuple[str, ...] = (),
    step: timedelta | None = None,
) -> list[Line]:
    """The lines of one metric, sorted by their labels; see Selection for the arguments.

    Raises ValueError on a span that cannot be, MetricsUnavailable where all of it would have to come
    from a Redis that does not answer. Where only its newest part would, the rest is returned.
    """
    selection = Selection(
        name=name, since=since, until=until, labels=labels or {}, group_by=group_by, step=step
    )
    return read_many([selection])[0]


def read_many(selections: Sequence[Selection], *, whole: bool = False) -> list[list[Line]]:
    """The lines of each selection, in order. Raises as `read` does.

    `whole`: raises MetricsUnavailable even where only the newest part of a line would be missing.
    """
    reading = read_what_is_there(selections)
    if reading.unavailable and (whole or not reading.has_rows):
        raise reading.unavailable
    return reading.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The lines of each selection, and what is missing of them.

    unavailable: why the newest part is missing, None where nothing is.
    has_rows: whether a part of what was asked for is kept as rows.
    rows_until: the end of the newest row, None where there is none.
    """

    lines: list[list[Line]]
    unavailable: MetricsUnavailable | None
    has_rows: bool
    rows_until: datetime | None


def read_what_is_there(selections: Sequence[Selection]) -> Reading:
    """As read_many, for who can show less than was asked for: never raises MetricsUnavailable."""
    charts = [Chart(selection) for selection in selections]
    known, kept = _known(selections)
    plans = [spans_of(s.since, s.until, s.step, kept) for s in selections]
    _add_rows(charts, plans, known)
    return Reading(
        unavailable=_add_slots(charts, plans),
        lines=[chart.lines() for chart in charts],
        has_rows=any(plan.hours or plan.minutes for plan in plans),
        rows_until=kept.minutes_until,
    )


@dataclass(frozen=True, slots=True)
class _Series:
    id: int
    name: str
    labels: dict[str, str]


def _known(selections: Sequence[Selection]) -> tuple[list[_Series], Kept]:
    names = {selection.name for selection in selections}
    settings, now = conf.current().metrics, timezone.now()
    # A clock that once was ahead left rows of times to come, which say nothing of what is done.
    newest = MetricBucket.objects.filter(start__lte=now).order_by("-start").values("start")
    found = list(
        MetricSeries.objects.filter(name__in=names)
        .order_by()
        .annotate(
            minute=Subquery(newest.filter(resolution=rows.MINUTE)[:1]),
            hour=Subquery(newest.filter(resolution=rows.HOUR)[:1]),
        )
        .values_list("id", "name", "labels", "minute", "hour")
    )
    minute, hour = found[0][3:] if found else (None, None)
    kept = Kept(
        minutes_until=minute and minute + MINUTE,
        hours_until=hour and hour + HOUR,
        minutes_from=now - timedelta(hours=settings.keep_minutes),
        slots_from=now - timedelta(seconds=settings.keep_live),
        slots_until=now + MINUTE,
    )
    return [_Series(*row[:3]) for row in found], kept


def _add_rows(charts: list[Chart], plans: list[Spans], known: list[_Series]) -> None:
    # One target for all series of a group: the database then merges them as well.
    targets: dict[int, tuple[int, list[Summary]]] = {}
    wants: list[rows.WantedSteps] = []
    for chart, plan in zip(charts, plans, strict=True):
        selection = chart.selection
        step = (selection.step or selection.until - selection.since).total_seconds()
        for series in known:
            if series.name != selection.name or not selection.admits(series.labels):
                continue
            group = chart.group(series.labels)
            target, _ = targets.setdefault(id(group), (len(targets), group))
            wants += [
                rows.WantedSteps(target, want, selection.since, step)
                for want in _wants(series, plan)
            ]
    groups = [group for _, group in targets.values()]
    for target, number, summary in rows.read_steps(wants):
        groups[target][number].merge(summary)


def _wants(series: _Series, plan: Spans) -> Iterable[rows.Wanted]:
    for resolution, spans in ((rows.HOUR, plan.hours), (rows.MINUTE, plan.minutes)):
        for since, until in spans:
            yield rows.Wanted(series.id, resolution, since, until)


def _add_slots(charts: list[Chart], plans: list[Spans]) -> MetricsUnavailable | None:
    readers: dict[int, list[Chart]] = {}
    for chart, plan in zip(charts, plans, strict=True):
        for slot in plan.slot_numbers():
            readers.setdefault(slot, []).append(chart)
    if not readers:
        return None
    try:
        found = live.read(sorted(readers), {chart.selection.name for chart in charts})
    except MetricsUnavailable as unavailable:
        return unavailable
    for slot, content in found:
        start = datetime.fromtimestamp(slot * SECONDS, UTC)
        for chart in readers[slot]:
            _add_slot(chart, start, content)
    return None


def _add_slot(chart: Chart, start: datetime, content: Slot) -> None:
    for series, (_, summary) in content.items():
        if chart.selection.name == series.name:
            chart.add(dict(series.labels), start, summary)
