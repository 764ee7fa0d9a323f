"""What this process counted about a cache, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from performance.cache.counts import Histogram, quantile, summary, total
from performance.cache.families import GENERATION

if TYPE_CHECKING:
    from performance.cache.base import Base
    from performance.cache.engine import Engine


def report(cache: Base) -> dict[str, Any]:
    engine = cache.engine
    spaces = {name: counts.as_dict() for name, counts in list(engine.counts.items())}
    named = {n: summary(counts) for n, counts in sorted(spaces.items()) if n and n != GENERATION}
    return {
        **summary(total(spaces)),
        "errors_by_class": dict(engine.errors),
        "latency_ms": _quantiles(engine.latency),
        "load_ms": _quantiles(engine.load_time),
        "server": {"up": not engine.transport.is_down},
        "local": _local(engine),
        "namespaces": named,
    }


def _quantiles(histogram: Histogram) -> dict[str, float | None]:
    found = {f"p{p}": quantile(dict(histogram.buckets), p / 100) for p in (50, 95, 99)}
    return {
        name: None if value is None else round(value * 1000, 3) for name, value in found.items()
    }


def _local(engine: Engine) -> dict[str, Any] | None:
    store, tracker = engine.local, engine.tracker
    if store is None or tracker is None:
        return None
    return {
        "open": store.is_open,
        "entries": len(store.slots),
        "bytes": store.size,
        "evictions": store.evictions,
        "invalidations": store.invalidations,
        "links_lost": tracker.losses,
    }
