"""Events become summaries here, in the flusher's thread, a second's worth at a time."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

from performance.metrics.buffer import Event
from performance.metrics.cardinality import Registry
from performance.metrics.definitions import Kind
from performance.metrics.series import BadMetric, Series
from performance.metrics.summary import Summary
from performance.metrics.trail import Trail

logger = logging.getLogger("performance.metrics")

Cells = dict[Series, Summary]

MOST_COMPLAINTS = 50
"""Different complaints that a process logs; each once."""
LARGEST = 1e30
"""Beyond it the sketch tells no values apart, and sums would become infinite, which no store takes."""


class Recording:
    """What recorders may do with an event; `cells` is what came of it since the last `take`."""

    def __init__(self, most_series: int) -> None:
        self.trail = Trail()
        self._registry = Registry(most_series)
        self._cells: Cells = {}
        self._complaints: set[str] = set()

    def replay(self, events: Iterable[Event]) -> None:
        """Does what the events say; a bad one is counted and costs no other."""
        for do, arguments in events:
            try:
                do(self, *arguments)
            except BadMetric as error:
                self.dropped(1, "invalid")
                self._complain(str(error))
            except Exception:
                self.dropped(1, "invalid")
                logger.exception("A metric's recorder failed.")

    def take(self) -> Cells:
        cells, self._cells = self._cells, {}
        return cells

    def kind(self, name: str) -> Kind:
        return self._registry.kind(name)

    def count(self, name: str, n: float, labels: dict[str, str]) -> None:
        more = _finite(name, n)
        if more < 0:
            raise BadMetric(f"{name} was counted up by {n}; a counter only grows.")
        if more:
            self._cell(name, labels, Kind.COUNTER).add(more)

    def observe(self, name: str, value: float, labels: dict[str, str], weight: int = 1) -> None:
        self._cell(name, labels, Kind.DISTRIBUTION).observe(_finite(name, value), weight)

    def level(self, name: str, value: float, labels: dict[str, str]) -> None:
        self._cell(name, labels, Kind.LEVEL).level(_finite(name, value))

    def remember(
        self, request_id: str, labels: tuple[str, str, str], at: float, seconds: float
    ) -> None:
        """`labels`: what it was, its method, how it ended."""
        self.trail.add(request_id, labels, at, seconds)

    def dropped(self, n: int, reason: str) -> None:
        if n:
            self._cell("metrics_dropped", {"reason": reason}, Kind.COUNTER).add(n)

    def _cell(self, name: str, labels: dict[str, str], kind: Kind) -> Summary:
        found, too_many = self._registry.find(name, labels, kind)
        if too_many:
            self.count("metrics_overflow", 1, {"metric": name})
        cell = self._cells.get(found)
        if cell is None:
            cell = self._cells[found] = Summary()
        return cell

    def _complain(self, text: str) -> None:
        if text not in self._complaints and len(self._complaints) < MOST_COMPLAINTS:
            self._complaints.add(text)
            logger.warning("A metric was not recorded: %s", text)


def _finite(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise BadMetric(f"{str(name)[:80]} wants a finite number, not a {type(value).__name__}.")
    if abs(number) > LARGEST:
        raise BadMetric(f"{str(name)[:80]} was {number:g}; {LARGEST:g} is the most, either way.")
    return number


def merge(into: Cells, cells: Cells) -> None:
    """Adds what `cells` has to `into`, without sharing its summaries."""
    for series, summary in cells.items():
        if series in into:
            into[series].merge(summary)
        else:
            into[series] = Summary() + summary
