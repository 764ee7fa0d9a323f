"""Everything that one showing of the board needs, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone

from performance import conf
from performance.admin.dashboard import metric, selections, spans, tables, tiles
from performance.admin.dashboard.charts import CHARTS, Chart
from performance.admin.dashboard.episodes import Episodes
from performance.admin.dashboard.measured import Measured
from performance.admin.dashboard.selections import Asked, Question
from performance.admin.dashboard.spans import Range, Span
from performance.admin.dashboard.verdict import Verdict, verdict
from performance.metrics.definitions import BY_NAME
from performance.metrics.series import NAME
from performance.models import MetricSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a query string asks for; what makes no sense in it is passed over.

    `since`: the browser has the steps before it, and wants those from there on alone.
    """

    chosen: Range
    until: datetime | None = None
    since: datetime | None = None
    compare: bool = True
    view: str = ""
    sort: str = tables.SORTS[0]
    metric: str = ""
    by: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wish:
        sort = query.get("sort", "")
        return cls(
            chosen=spans.range_of(query.get("range")),
            until=spans.moment_of(query.get("until")),
            since=spans.moment_of(query.get("since")),
            compare=query.get("compare") != "off",
            view=query.get("view", "")[:200],
            metric=_name(query.get("metric")),
            by=_name(query.get("by")),
            sort=sort if sort in tables.SORTS else tables.SORTS[0],
        )


def _name(text: str | None) -> str:
    return text if text and NAME.fullmatch(text) else ""


class Board:
    """The board as `wish` has it. Two readings cost the same as one: all is asked at once."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.span: Span = spans.span_of(wish.chosen, wish.until)
        self.is_tail = wish.since is not None and self.span.live
        if wish.since is not None and self.is_tail:
            self.span = self.span.tail(wish.since)
        now, around = selections.lately(self.span)
        asked = [
            Question(self.span, self._asked(), wish.view),
            Question(now, selections.TILES, wish.view),
            Question(around, selections.TILES, wish.view),
        ]
        if wish.compare and not wish.metric:
            asked.append(Question(self.span.earlier(), selections.COMPARED, wish.view))
        self.answers = selections.measure(asked)
        self.now, self.lately, self.around, *rest = self.answers.found
        self.before: Measured | None = rest[0] if rest else None
        self.episodes = Episodes(self.span)

    def _asked(self) -> Mapping[str, Asked]:
        if not self.wish.metric:
            return selections.BOARD
        labels = (self.wish.by,) if self.wish.by else ()
        return {metric.KEY: Asked(self.wish.metric, labels)}

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """The board's charts, or those of the one metric that is wished for."""
        return metric.charts(self.wish.by, self.wish.metric) if self.wish.metric else CHARTS

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What the metric that is wished for can be grouped by."""
        definition = BY_NAME.get(self.wish.metric)
        if definition:
            return definition.labels
        one = MetricSeries.objects.filter(name=self.wish.metric).first()
        return tuple(sorted(one.labels)) if one else ()

    compared_with = "day before"

    @property
    def chosen(self) -> Range:
        return self.wish.chosen

    @property
    def compare(self) -> bool:
        return self.wish.compare

    @property
    def view(self) -> str:
        return self.wish.view

    @property
    def sort(self) -> str:
        return self.wish.sort

    @property
    def refresh(self) -> int:
        """Seconds to the next answer; 0: what is shown does not change."""
        return self.chosen.refresh if self.span.live and conf.current().metrics.enabled else 0

    @property
    def until(self) -> datetime:
        """Up to when the figures go."""
        if self.answers.live or not self.span.live:
            return self.span.until
        return self.answers.rows_until or self.span.since

    @property
    def notice(self) -> str:
        """A sentence for what keeps figures away; mostly empty."""
        if not conf.current().metrics.enabled:
            return "Metrics are switched off (METRICS_ENABLED), so nothing new is measured."
        if self.answers.live or not self.span.live:
            return ""
        if self.answers.rows_until is None:
            return "Redis is away, and there are no figures from before."
        return f"Redis is away: figures up to {timezone.localtime(self.until):%H:%M}."

    @cached_property
    def verdict(self) -> Verdict:
        return verdict(self.episodes.open, self.services, known=not self.lately.empty)

    @cached_property
    def tiles(self) -> list[tiles.Tile]:
        return tiles.tiles(self.lately, self.around)

    @cached_property
    def views(self) -> list[tables.ViewRow]:
        return tables.views(self.now, self.sort)

    @cached_property
    def caches(self) -> list[tables.CacheRow]:
        return tables.caches(self.now)

    @cached_property
    def levels(self) -> list[tables.LevelRow]:
        return tables.levels(self.now, self.lately)

    @cached_property
    def tasks(self) -> list[tables.TaskRow]:
        return tables.tasks(self.now)

    @cached_property
    def backends(self) -> list[tables.BackendRow]:
        return tables.backends(self.now)

    @cached_property
    def services(self) -> list[tables.ServiceRow]:
        return tables.services(self.now, self.lately)

    @cached_property
    def data(self) -> dict[str, dict[str, Any]]:
        """The charts' data by name."""
        return {name: chart.data(self.now, self.before) for name, chart in self.charts.items()}
