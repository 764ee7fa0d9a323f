"""What a process counts about a cache: plain integers, no lock, no I/O."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from performance.cache.families import GENERATION

COUNTED = (
    "local_hits", "hits", "misses", "sets", "deletes", "stale_served", "loads", "load_errors",
    "waits", "errors", "unreadable", "evictions", "bytes_raw", "bytes_stored", "load_seconds",
)  # fmt: skip


class Histogram:
    """Durations in buckets a quarter of a power of two wide: quantiles within 10 %."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}

    def observe(self, seconds: float) -> None:
        bucket = int(math.log2(seconds * 1e6 + 1) * 4)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1


class Counts:
    """Of one namespace of one cache."""

    __slots__ = (*COUNTED, "latency")

    def __init__(self) -> None:
        self.local_hits = self.hits = self.misses = self.sets = self.deletes = 0
        self.stale_served = self.loads = self.load_errors = self.waits = 0
        self.errors = self.unreadable = self.bytes_raw = self.bytes_stored = self.evictions = 0
        self.load_seconds = 0.0
        self.latency = Histogram()  # of round trips to the server

    def as_dict(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in COUNTED}


def quantile(buckets: Mapping[int, int], q: float) -> float | None:
    """In seconds; None where nothing was observed."""
    left = q * sum(buckets.values())
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            return float(2 ** ((bucket + 0.5) / 4) - 1) / 1e6
    return None


def quantiles_ms(buckets: Mapping[int, int]) -> dict[str, float | None]:
    """p50, p95 and p99 in milliseconds."""
    found = {f"p{percent}": quantile(buckets, percent / 100) for percent in (50, 95, 99)}
    return {name: None if s is None else round(s * 1000, 3) for name, s in found.items()}


def merged(all_: Iterable[Mapping[int, int]]) -> Counter[int]:
    together: Counter[int] = Counter()
    for buckets in all_:
        together.update(buckets)
    return together


def total(spaces: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The sum of namespaces, without what namespaces keep for themselves."""
    asked = [counts for space, counts in spaces.items() if space != GENERATION]
    return {name: sum(counts.get(name, 0) for counts in asked) for name in COUNTED}


def summary(counts: Mapping[str, float]) -> dict[str, Any]:
    """Counts with what follows from them: hits of both tiers, rates."""
    given = {name: counts.get(name, 0) for name in COUNTED}
    hits = given["local_hits"] + given["hits"] + given["stale_served"]
    asked = hits + given["misses"]
    return {
        **given,
        "all_hits": hits,
        "hit_rate": _ratio(hits, asked),
        "local_share": _ratio(given["local_hits"], hits),
        "stored_ratio": _ratio(given["bytes_stored"], given["bytes_raw"]),
    }


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
