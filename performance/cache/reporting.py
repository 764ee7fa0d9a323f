"""What this process counted about a cache, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from performance.cache.counts import merged, quantiles_ms, summary, total
from performance.cache.families import GENERATION

if TYPE_CHECKING:
    from performance.cache.base import Base
    from performance.cache.engine import Engine


def report(cache: Base) -> dict[str, Any]:
    engine = cache.engine
    counted = dict(engine.counts)
    spaces = {name: counts.as_dict() for name, counts in counted.items()}
    latencies = {name: dict(counts.latency.buckets) for name, counts in counted.items()}
    return {
        **summary(total(spaces)),
        "errors_by_class": dict(engine.errors),
        "latency_ms": quantiles_ms(merged(latencies.values())),
        "load_ms": quantiles_ms(dict(engine.load_time.buckets)),
        "server": {"up": not engine.transport.is_down},
        "local": _local(engine),
        "namespaces": {
            name: {**summary(spaces[name]), "latency_ms": quantiles_ms(latencies[name])}
            for name in sorted(spaces)
            if name and name != GENERATION
        },
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
