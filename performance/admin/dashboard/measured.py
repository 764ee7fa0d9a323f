"""What was read for a span, by metric: sums, quantiles and levels per step, gaps kept apart from zeros."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from performance.admin.dashboard.spans import Span
from performance.metrics.reading import Line, Point, Summary

Values = list[float | None]
Of = Callable[[Summary], float | None]
HELD = timedelta(seconds=30)


def quantile(q: float) -> Of:
    return lambda summary: summary.quantile(q)


def mean(summary: Summary) -> float | None:
    return summary.mean


def most(summary: Summary) -> float | None:
    return summary.max if summary.count else None


def _filled(point: Point) -> bool:
    return point.summary.count > 0


class Measured:
    """`lines` of a key are what was read for it; `other` keys hold no line."""

    def __init__(self, span: Span, lines: Mapping[str, list[Line]]) -> None:
        self.span = span
        self.lines = lines
        self.starts = span.starts()
        self._steps: dict[tuple[Any, ...], dict[datetime, Summary]] = {}
        self._known = {
            point.start
            for found in lines.values()
            for line in found
            for point in line.points
            if point.summary.count
        }

    @property
    def empty(self) -> bool:
        """Whether nothing at all was measured."""
        return not self._known

    def labels(self, key: str, label: str) -> list[str]:
        """The values that a label has, sorted."""
        return sorted(
            {
                line.labels.get(label, "")
                for line in self.lines.get(key, [])
                if any(map(_filled, line.points))
            }
        )

    def steps(self, key: str, **labels: str) -> dict[datetime, Summary]:
        """What was measured at each step, the lines with these labels merged."""
        memo = (key, *sorted(labels.items()))
        if memo not in self._steps:
            self._steps[memo] = self._merged(key, labels)
        return self._steps[memo]

    def _merged(self, key: str, labels: Mapping[str, str]) -> dict[datetime, Summary]:
        merged: dict[datetime, Summary] = defaultdict(Summary)
        for line in self._with(key, labels):
            for point in filter(_filled, line.points):
                merged[point.start].merge(point.summary)
        return dict(merged)

    def whole(self, key: str, **labels: str) -> Summary:
        """All steps together."""
        total = Summary()
        for summary in self.steps(key, **labels).values():
            total.merge(summary)
        return total

    def values(self, key: str, of: Of, **labels: str) -> Values:
        """One value a step; None where nothing was observed."""
        steps = self.steps(key, **labels)
        return [of(steps[start]) if start in steps else None for start in self.starts]

    def levels(self, key: str, of: Of, **labels: str) -> Values:
        """As `values`, of a level: a sample holds a while."""
        return held(self.values(key, of, **labels), self.span.step)

    def counts(self, key: str, **labels: str) -> Values:
        """How many in each step: 0 where others were measured, None where nothing was at all."""
        steps = self.steps(key, **labels)
        return [
            steps[start].count if start in steps else (0.0 if start in self._known else None)
            for start in self.starts
        ]

    def rates(self, key: str, **labels: str) -> Values:
        """How many a second in each step."""
        counts = self.counts(key, **labels)
        return [
            None if count is None else count / self.span.seconds_of(start)
            for count, start in zip(counts, self.starts, strict=True)
        ]

    def _with(self, key: str, labels: Mapping[str, str]) -> Iterable[Line]:
        wanted = labels.items()
        return (line for line in self.lines.get(key, []) if wanted <= line.labels.items())


def held(values: Values, step: timedelta) -> Values:
    """Levels are sampled every ten seconds or so: a sample holds for HELD, also where steps are shorter."""
    found: Values = []
    for number, value in enumerate(values):
        recent = values[max(0, number - HELD // step) : number + 1]
        found.append(
            next((one for one in reversed(recent) if one is not None), None)
            if value is None
            else value
        )
    return found


def shares(parts: Values, wholes: Values) -> Values:
    """Each part of its whole, 0 to 1; None where there is no whole."""
    return [
        part / whole if whole and part is not None else None
        for part, whole in zip(parts, wholes, strict=True)
    ]


def added(*rows: Values) -> Values:
    """The rows' sum; None where none of them knows."""
    return [
        sum(value for value in column if value is not None)
        if any(value is not None for value in column)
        else None
        for column in zip(*rows, strict=True)
    ]
