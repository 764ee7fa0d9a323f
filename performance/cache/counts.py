"""What a process counts about a cache: plain integers, no lock, no I/O."""

from __future__ import annotations

import math
from typing import Any

COUNTED = (
    "local_hits", "hits", "misses", "sets", "deletes", "stale_served", "loads", "load_errors",
    "waits", "errors", "unreadable", "bytes_raw", "bytes_stored",
)  # fmt: skip


class Counts:
    """Of one namespace of one cache."""

    __slots__ = (*COUNTED, "load_seconds")

    def __init__(self) -> None:
        for name in COUNTED:
            setattr(self, name, 0)
        self.load_seconds = 0.0

    local_hits: int
    hits: int
    misses: int
    sets: int
    deletes: int
    stale_served: int
    loads: int
    load_errors: int
    waits: int
    errors: int
    unreadable: int
    bytes_raw: int
    bytes_stored: int

    def as_dict(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.__slots__}


class Histogram:
    """Durations in buckets a quarter of a power of two wide: quantiles within 10 %."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}

    def observe(self, seconds: float) -> None:
        bucket = int(math.log2(seconds * 1e6 + 1) * 4)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def quantile(self, q: float) -> float | None:
        """In seconds; None where nothing was observed."""
        return quantile(self.buckets, q)


def quantile(buckets: dict[int, int], q: float) -> float | None:
    left = q * sum(buckets.values())
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            return float(2 ** ((bucket + 0.5) / 4) - 1) / 1e6
    return None


def summary(counts: dict[str, float]) -> dict[str, Any]:
    """Counts with what follows from them: a hit rate, the hits of both tiers."""
    hits = counts["local_hits"] + counts["hits"] + counts["stale_served"]
    asked = hits + counts["misses"]
    return {
        **counts,
        "all_hits": hits,
        "hit_rate": round(hits / asked, 4) if asked else None,
        "stored_ratio": round(counts["bytes_stored"] / counts["bytes_raw"], 4)
        if counts["bytes_raw"]
        else None,
    }
