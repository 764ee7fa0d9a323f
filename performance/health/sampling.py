"""What the services say, as levels of metrics: one process samples for all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from performance import health, metrics
from performance.health import servers
from performance.health.board import Result

Level = tuple[str, float, dict[str, str]]
"""A metric's name, its value, its labels."""


def sample() -> int:
    """Records health, queues and disk; answers how many services are down."""
    results = health.look()
    for name, value, labels in levels():
        metrics.gauge(name, value, **labels)
    for result in results:
        if result.is_up:
            metrics.observe("service_seconds", result.seconds, service=result.service)
    return sum(not result.is_up for result in results)


def levels() -> Iterator[Level]:
    """Everything that can be asked now; what cannot be asked is left out."""
    for result in health.look():
        yield "service_up", float(result.is_up), {"service": result.service}
        yield from _facts(result)
    for level in servers.levels():
        labels = {"level": level["level"].value}
        yield "queue_length", level["waiting"], labels
        yield "queue_oldest_seconds", level["oldest"] or 0.0, labels
    usage = shutil.disk_usage("/")
    yield "disk_free_ratio", usage.free / usage.total, {"path": "/"}


def _facts(result: Result) -> Iterator[Level]:
    if result.service == "workers" and "workers" in result.facts:
        yield "workers", result.facts["workers"], {}
    lag = result.facts.get("replication_lag_seconds")
    if lag is not None:
        yield "replication_lag_seconds", lag, {"database": result.service}
