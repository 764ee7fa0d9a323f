"""What is kept of a series for a span of time."""

from __future__ import annotations

import math
from typing import Any

from performance.metrics import sketch

Stored = tuple[float, float, float, float, dict[int, int]]


class Summary:
    """Count, sum, extremes and distribution; `a + b` is the summary of both.

    Of a counter, `count` and `sum` are both its total, and there is no distribution.
    An empty one has count 0, and `min` and `max` are then infinite.
    """

    __slots__ = ("count", "max", "min", "sketch", "sum")

    def __init__(self) -> None:
        self.count = 0.0
        self.sum = 0.0
        self.min = math.inf
        self.max = -math.inf
        self.sketch: sketch.Buckets = {}

    def add(self, n: float) -> None:
        """Counts `n` more."""
        self.count += n
        self.sum += n

    def level(self, value: float) -> None:
        """Samples a level; a level has extremes and a mean but no distribution."""
        self.count += 1
        self.sum += value
        self.min = min(self.min, value)
        self.max = max(self.max, value)

    def observe(self, value: float, weight: int = 1) -> None:
        self.count += weight
        self.sum += value * weight
        self.min = min(self.min, value)
        self.max = max(self.max, value)
        key = sketch.key_of(value)
        self.sketch[key] = self.sketch.get(key, 0) + weight

    def merge(self, other: Summary) -> None:
        self.count += other.count
        self.sum += other.sum
        self.min = min(self.min, other.min)
        self.max = max(self.max, other.max)
        sketch.merge(self.sketch, other.sketch)

    def beside(self, other: Summary) -> None:
        """Adds another process's samples of one level: what both hold at the same time.

        Then it is one sample, their means' sum: begin with an empty one also where there is but one
        process, or its many samples would outweigh a time when several were there.
        """
        if not other.count:
            return
        if not self.count:
            self.min = self.max = 0.0
        self.count, self.sum = 1.0, self.sum + other.sum / other.count
        self.min += other.min
        self.max += other.max

    def __add__(self, other: Summary) -> Summary:
        both = Summary()
        both.merge(self)
        both.merge(other)
        return both

    @property
    def mean(self) -> float | None:
        return self.sum / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """The `q` quantile (0 to 1) within 2 %, at its ends exactly; None where nothing was observed."""
        if self.sketch and (q <= 0 or q >= 1):
            return self.max if q >= 1 else self.min
        found = sketch.quantile(self.sketch, q)
        return None if found is None else min(max(found, self.min), self.max)

    def rate(self, seconds: float) -> float:
        """How many a second."""
        return self.count / seconds

    def stored(self) -> Stored:
        """For msgpack: numbers alone."""
        return (self.count, self.sum, self.min, self.max, self.sketch)

    @classmethod
    def restored(cls, stored: Any) -> Summary:
        found = cls()
        found.count, found.sum, found.min, found.max, found.sketch = stored
        return found

    def __repr__(self) -> str:
        return f"<Summary: {self.count:g} of sum {self.sum:g}>"
