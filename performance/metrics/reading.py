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

__all__ = ["Line", "MetricsUnavailable", "Point", "Selection", "Summary", "read", "read_many"]


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
    charts = [Chart(selection) for selection in selections]
    known, kept = _known(selections)
    plans = [spans_of(s.since, s.until, s.step, kept) for s in selections]
    _add_rows(charts, plans, known)
    _add_slots(charts, plans, whole=whole)
    return [chart.lines() for chart in charts]


@dataclass(frozen=True, slots=True)
class _Series:
    id: int
    name: str
    labels: dict[str, str]


def _known(selections: Sequence[Selection]) -> tuple[list[_Series], Kept]:
    names = {selection.name for selection in selections}
    newest = MetricBucket.objects.order_by("-start").values("start")
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
    settings, now = conf.current().metrics, timezone.now()
    kept = Kept(
        minutes_until=minute and minute + MINUTE,
        hours_until=hour and hour + HOUR,
        minutes_from=now - timedelta(hours=settings.keep_minutes),
        slots_from=now - timedelta(seconds=settings.keep_live),
    )
    return [_Series(*row[:3]) for row in found], kept


def _add_rows(charts: list[Chart], plans: list[Spans], known: list[_Series]) -> None:
    readers: dict[rows.Wanted, list[tuple[Chart, _Series]]] = {}
    for chart, plan in zip(charts, plans, strict=True):
        for series in known:
            if series.name == chart.selection.name and chart.selection.admits(series.labels):
                for want in _wants(series, plan):
                    readers.setdefault(want, []).append((chart, series))
    wants = list(readers)
    for number, bucket in rows.read(wants):
        for chart, series in readers[wants[number]]:
            chart.add(series.labels, bucket.start, bucket.summary)


def _wants(series: _Series, plan: Spans) -> Iterable[rows.Wanted]:
    for resolution, spans in ((rows.HOUR, plan.hours), (rows.MINUTE, plan.minutes)):
        for since, until in spans:
            yield rows.Wanted(series.id, resolution, since, until)


def _add_slots(charts: list[Chart], plans: list[Spans], *, whole: bool) -> None:
    readers: dict[int, list[Chart]] = {}
    for chart, plan in zip(charts, plans, strict=True):
        for slot in plan.slot_numbers():
            readers.setdefault(slot, []).append(chart)
    if not readers:
        return
    try:
        found = live.read(sorted(readers), {chart.selection.name for chart in charts})
    except MetricsUnavailable:
        if whole or not any(plan.hours or plan.minutes for plan in plans):
            raise
        return
    for slot, content in found:
        start = datetime.fromtimestamp(slot * SECONDS, UTC)
        for chart in readers[slot]:
            _add_slot(chart, start, content)


def _add_slot(chart: Chart, start: datetime, content: Slot) -> None:
    for series, (_, summary) in content.items():
        if chart.selection.name == series.name:
            chart.add(dict(series.labels), start, summary)
