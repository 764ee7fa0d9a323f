"""A distribution as counts in logarithmic buckets: quantiles within 2 %, merged by adding.

A bucket's upper bound is GAMMA times its lower one, so its middle is at most
(GAMMA - 1) / (GAMMA + 1) = 1.7 % away from every value in it, whatever was merged.
Keys sort as the values do: negative, zero, positive.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

GAMMA = 1.035
_LOG = math.log(GAMMA)
_OFFSET = 2048
_LEAST, _MOST = 1, 2 * _OFFSET - 1  # 3e-31 to 3e30; what lies beyond counts as the end

Buckets = dict[int, int]


def key_of(value: float) -> int:
    """The bucket of a finite number."""
    if value > 0:
        return min(max(math.ceil(math.log(value) / _LOG) + _OFFSET, _LEAST), _MOST)
    return -key_of(-value) if value < 0 else 0


def value_of(key: int) -> float:
    """The middle of a bucket."""
    if key > 0:
        return 2 * GAMMA ** (key - _OFFSET) / (GAMMA + 1)
    return -value_of(-key) if key < 0 else 0.0


def merge(into: Buckets, other: Mapping[int, int]) -> None:
    if not into:  # mostly so where charts are made, and done in C
        into.update(other)
        return
    for key, n in other.items():
        into[key] = into.get(key, 0) + n


def quantile(buckets: Mapping[int, int], q: float) -> float | None:
    """The value below which the share `q` (0 to 1) lies; None where there is none."""
    rank = q * (sum(buckets.values()) - 1)
    seen = 0
    for key in sorted(buckets):
        seen += buckets[key]
        if seen > rank:
            return value_of(key)
    return None


def cumulative(buckets: Mapping[int, int], bounds: Iterable[float]) -> list[int]:
    """How many values lie at or below each bound, as Prometheus's `le` wants it."""
    limits = [key_of(bound) for bound in bounds]
    return [sum(n for key, n in buckets.items() if key <= limit) for limit in limits]
