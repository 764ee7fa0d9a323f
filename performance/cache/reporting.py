"""A cache's counts as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from performance.cache.counts import COUNTED, Histogram, summary

if TYPE_CHECKING:
    from performance.cache.base import Base

OWN = "generation"  # the keys that namespaces keep for themselves: no caller asked for those


def report(cache: Base) -> dict[str, Any]:
    engine = cache.engine
    spaces = {name: counts.as_dict() for name, counts in list(engine.counts.items())}
    spaces.pop(OWN, None)
    total = {
        name: sum(space[name] for space in spaces.values()) for name in (*COUNTED, "load_seconds")
    }
    return {
        **summary(total),
        "errors_by_class": dict(engine.errors),
        "latency_ms": _quantiles(engine.latency),
        "load_ms": _quantiles(engine.load_time),
        "server": {"up": not engine.transport.is_down},
        "local": _local(engine),
        "namespaces": {name: summary(space) for name, space in spaces.items() if name},
    }


def _quantiles(histogram: Histogram) -> dict[str, float | None]:
    found = {f"p{int(q * 100)}": histogram.quantile(q) for q in (0.5, 0.95, 0.99)}
    return {
        name: None if value is None else round(value * 1000, 3) for name, value in found.items()
    }


def _local(engine: Any) -> dict[str, Any] | None:
    store = engine.local
    if store is None:
        return None
    return {
        "open": store.is_open,
        "entries": len(store.slots),
        "bytes": store.size,
        "evictions": store.evictions,
        "invalidations": store.invalidations,
        "links_lost": engine.tracker.losses,
    }
