"""What happened in one minute, or in a few: the way from a spike in a chart to its cause."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone

from performance.admin.dashboard import selections, tables, tiles
from performance.admin.dashboard.episodes import Episodes, urgency
from performance.admin.dashboard.selections import Question
from performance.admin.dashboard.spans import HOUR, MINUTE, Span, floor, kept_step
from performance.models import Alert, QuerySample, TaskRun

MOST_ROWS = 20
BEFORE = 15
"""As many times the span before it is what it is compared with."""


class Minute:
    """The span of `length` around `at`; whole hours where the minutes are no longer kept."""

    def __init__(self, at: datetime, length: timedelta) -> None:
        self.span = _span(at, length)
        before = min(self.span.seconds * BEFORE, 24 * 3600)
        earlier = Span(
            since=self.span.since - timedelta(seconds=before), until=self.span.since, step=HOUR
        )
        self.answers = selections.measure(
            [Question(self.span, selections.MOMENT), Question(earlier, selections.MOMENT)]
        )
        self.now, self.earlier = self.answers.found

    compared_with = "before"

    @property
    def around(self) -> datetime:
        """The end of an hour with the span in its middle."""
        return min(self.span.until + timedelta(minutes=30), timezone.now())

    @property
    def notice(self) -> str:
        """A sentence where the figures are not all there."""
        return "" if self.answers.live else "Redis is away: the newest figures are missing."

    @property
    def length(self) -> timedelta:
        return self.span.until - self.span.since

    @property
    def previous(self) -> datetime:
        return self.span.since - self.length

    @property
    def next(self) -> datetime | None:
        """The span after it; None where that has not begun."""
        return self.span.until if self.span.until < timezone.now() else None

    @cached_property
    def tiles(self) -> list[tiles.Tile]:
        return tiles.tiles(self.now, self.earlier)

    @cached_property
    def views(self) -> list[tables.ViewRow]:
        return tables.views(self.now, "time", MOST_ROWS)

    @cached_property
    def statements(self) -> list[tables.StatementRow]:
        return tables.statements(self.now)

    @cached_property
    def caches(self) -> list[tables.CacheRow]:
        return tables.caches(self.now)

    @cached_property
    def backends(self) -> list[tables.BackendRow]:
        return tables.backends(self.now)

    @cached_property
    def task_runs(self) -> QuerySet[TaskRun]:
        """Failures first, then what ran longest."""
        bad = Case(When(status="successful", then=Value(1)), default=Value(0))
        found: Any = TaskRun.objects.filter(
            finished_at__gte=self.span.since, finished_at__lt=self.span.until
        )
        return found.order_by(bad, "-ran", "-id")[:MOST_ROWS]  # type: ignore[no-any-return]

    @cached_property
    def samples(self) -> list[QuerySample]:
        """Notable queries, what cost most first."""
        found = QuerySample.objects.filter(at__gte=self.span.since, at__lt=self.span.until)
        found = found.exclude(finding=QuerySample.Finding.SAMPLED)
        return list(found.select_related("fingerprint").order_by("-seconds", "-id")[:MOST_ROWS])

    @cached_property
    def alerts(self) -> list[Alert]:
        """Those that were beyond their threshold then, the worst first."""
        found = Episodes(self.span).overlapping
        there = [
            one for one in found if one.began_at < self.span.until and _ended_after(one, self.span)
        ]
        return sorted(there, key=urgency)


def _ended_after(alert: Alert, span: Span) -> bool:
    return alert.resolved_at is None or alert.resolved_at > span.since


def _span(at: datetime, length: timedelta) -> Span:
    unit = kept_step(MINUTE, at)
    since = floor(at, unit)
    until = since + max(-(-length // unit), 1) * unit
    return Span(since=since, until=until, step=unit)
