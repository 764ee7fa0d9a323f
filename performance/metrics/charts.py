"""What is read of a metric: the question (Selection) and the answer (Line of Points)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from performance.metrics.summary import Summary

MOST_POINTS = 10_000

Wish = str | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What to read of one metric.

    since, until: aware; what starts in [since, until) counts.
    labels: values that must equal; a sequence means one of them.
    group_by: labels that are kept, one line for each of their values; others are merged away.
    step: the span of a point; None is one point for all.
    """

    name: str
    since: datetime
    until: datetime
    labels: Mapping[str, Wish] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    step: timedelta | None = None

    def __post_init__(self) -> None:
        if self.until <= self.since:
            raise ValueError(
                f"{self.name}: until ({self.until}) must be after since ({self.since})."
            )
        if self.step is not None and self.step < timedelta(seconds=1):
            raise ValueError(f"{self.name}: a step of {self.step} is too short; 1 s is the least.")
        if self.points > MOST_POINTS:
            raise ValueError(f"{self.name}: {self.points} points are too many; take longer steps.")

    @property
    def points(self) -> int:
        return 1 if self.step is None else math.ceil((self.until - self.since) / self.step)

    def admits(self, labels: Mapping[str, str]) -> bool:
        return all(_fits(labels.get(name), wish) for name, wish in self.labels.items())


def _fits(value: str | None, wish: Wish) -> bool:
    return value == wish if isinstance(wish, str) else value in wish


@dataclass(frozen=True, slots=True)
class Point:
    """`summary` of what was recorded from `start` on, for one step; count 0 where nothing was."""

    start: datetime
    summary: Summary


@dataclass(frozen=True, slots=True)
class Line:
    """The points of one group of series, oldest first, without gaps."""

    labels: dict[str, str]
    points: list[Point]


class Chart:
    """Puts summaries where a selection wants them."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self._groups: dict[tuple[str, ...], list[Summary]] = {}
        if not selection.group_by:
            self.group({})

    def add(self, labels: Mapping[str, str], start: datetime, summary: Summary) -> None:
        """Adds what began at `start`; what the selection does not admit is passed over."""
        if self.selection.admits(labels):
            self.group(labels)[self._index(start)].merge(summary)

    def group(self, labels: Mapping[str, str]) -> list[Summary]:
        """The summaries, one a step, that what has these labels is merged into."""
        key = tuple(labels.get(name, "") for name in self.selection.group_by)
        if key not in self._groups:
            self._groups[key] = [Summary() for _ in range(self.selection.points)]
        return self._groups[key]

    def _index(self, start: datetime) -> int:
        if self.selection.step is None:
            return 0
        index = (start - self.selection.since) // self.selection.step
        return min(max(index, 0), self.selection.points - 1)

    def lines(self) -> list[Line]:
        return [
            Line(
                dict(zip(self.selection.group_by, key, strict=True)),
                [Point(self._start(index), summary) for index, summary in enumerate(summaries)],
            )
            for key, summaries in sorted(self._groups.items())
        ]

    def _start(self, index: int) -> datetime:
        step = self.selection.step
        return self.selection.since if step is None else self.selection.since + index * step
