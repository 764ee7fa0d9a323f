"""What the services say, recorded as metrics: one process samples for all."""

from __future__ import annotations

import shutil

from performance import health, metrics
from performance.health import servers


def sample() -> int:
    """Records health, queues and disk; answers how many services are down."""
    results = health.look()
    for result in results:
        metrics.gauge("service_up", int(result.is_up), service=result.service)
        if result.is_up:
            metrics.observe("service_seconds", result.seconds, service=result.service)
        if result.service == "workers":
            metrics.gauge("workers", result.facts.get("workers", 0))
    _sample_queues()
    usage = shutil.disk_usage("/")
    metrics.gauge("disk_free_ratio", usage.free / usage.total, path="/")
    return sum(not result.is_up for result in results)


def _sample_queues() -> None:
    for level in servers.levels():
        name = level["level"].value
        metrics.gauge("queue_length", level["waiting"], level=name)
        metrics.gauge("queue_oldest_seconds", level["oldest"] or 0.0, level=name)
