"""Running totals of all processes since the beginning: what a Prometheus counter is.

Each process adds what is new, in numbered batches; levels have no totals. A distribution's total has
a count, a sum, and how many fell between the bounds of its histogram.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from performance.metrics import sketch
from performance.metrics.definitions import BY_NAME, Kind
from performance.metrics.recording import Cells
from performance.metrics.series import Series, parse
from performance.metrics.store import Total
from performance.metrics.summary import Summary

_SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1, 2.5, 5, 10, 30, 60, 300),
)
_BYTES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_NUMBERS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000)

_BEFORE_FIELD = "\x1d"  # no series holds it


def bounds(name: str) -> tuple[float, ...]:
    """The upper bounds of a metric's histogram, by its unit."""
    unit = BY_NAME[name].unit if name in BY_NAME else name.rpartition("_")[2]
    return {"seconds": _SECONDS, "bytes": _BYTES}.get(unit, _NUMBERS)


@dataclass(slots=True)
class Running:
    """The total of one series; `below` has how many were at most each bound, None for a counter."""

    series: Series
    count: float = 0.0
    sum: float = 0.0
    below: list[float] | None = None
    _between: dict[int, float] = field(default_factory=dict)

    def set(self, name: str, value: float) -> None:
        if name == "count":
            self.count = value
        elif name == "sum":
            self.sum = value
        else:
            self._between[int(name)] = value

    def settle(self) -> None:
        if self._between:
            counts = [
                self._between.get(index, 0.0) for index in range(len(bounds(self.series.name)))
            ]
            self.below = [sum(counts[: index + 1]) for index in range(len(counts))]


def batch(cells: Cells, kind: Any) -> list[Total]:
    """What a process has to add, for the store; `kind(name)` tells each metric's kind."""
    return [
        (series.name, series.text, series.other().text, _fields(series.name, summary))
        for series, summary in cells.items()
        if kind(series.name) is not Kind.LEVEL
    ]


def _fields(name: str, summary: Summary) -> dict[str, float]:
    fields = {f"{_BEFORE_FIELD}count": summary.count, f"{_BEFORE_FIELD}sum": summary.sum}
    if summary.sketch:
        below = sketch.cumulative(summary.sketch, bounds(name))
        for index, n in enumerate(below):
            if more := n - (below[index - 1] if index else 0):
                fields[f"{_BEFORE_FIELD}{index}"] = more
        # One beyond the last bound still makes it a histogram.
        fields.setdefault(f"{_BEFORE_FIELD}0", 0)
    return fields


def running(stored: dict[bytes, bytes]) -> list[Running]:
    """The totals from the store's fields, sorted by series."""
    found: dict[str, Running] = {}
    for key, value in stored.items():
        text, _, name = key.decode().partition(_BEFORE_FIELD)
        if text not in found:
            found[text] = Running(parse(text))
        found[text].set(name, float(value))
    for total in found.values():
        total.settle()
    return _sorted(found.values())


def _sorted(totals: Iterable[Running]) -> list[Running]:
    return sorted(totals, key=lambda total: (total.series.name, total.series.labels))
