"""Caches: what each process counts about itself anyway, heard every few seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from performance.metrics import count
from performance.signals import cache_measured

OWN = "generation"
"""The namespace of the keys that a cache keeps for itself."""

# What the cache counts: our metric, and the label that tells its kinds apart.
_METRICS: dict[str, tuple[str, dict[str, str]]] = {
    "local_hits": ("cache_hits", {"tier": "local"}),
    "hits": ("cache_hits", {"tier": "remote"}),
    "stale_served": ("cache_stale_served", {}),
    "misses": ("cache_misses", {}),
    "loads": ("cache_loads", {}),
    "errors": ("cache_errors", {"error": "server"}),
    "load_errors": ("cache_errors", {"error": "load"}),
    "unreadable": ("cache_errors", {"error": "unreadable"}),
    "bytes_raw": ("cache_bytes", {"which": "raw"}),
    "bytes_stored": ("cache_bytes", {"which": "stored"}),
}


def connect() -> None:
    cache_measured.connect(_measured, dispatch_uid="performance.metrics.caches")


def _measured(*, alias: str, counts: Mapping[str, int], **_kwargs: Any) -> None:
    sums: Counter[str] = Counter()
    for key, n in counts.items():
        space, name, *bucket = key.split("|")
        if not bucket and space != OWN:
            sums[name] += n
    for name, (metric, labels) in _METRICS.items():
        if sums[name]:
            count(metric, sums[name], alias=alias, **labels)
