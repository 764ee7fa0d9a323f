from __future__ import annotations

import pytest

from performance import metrics
from performance.signals import cache_measured, task_parked, tasks_measured
from tests.performance.metrics.stored import found

pytestmark = pytest.mark.usefixtures("queue_redis")


def test_caches_are_heard() -> None:
    counts = {
        "|hits": 3,
        "user|hits": 2,
        "user|local_hits": 4,
        "user|misses": 1,
        "generation|hits": 100,
        "|latency|7": 9,
        "user|bytes_raw": 500,
        "user|errors": 2,
    }
    cache_measured.send(sender=object, alias="default", counts=counts)
    metrics.flush()

    assert found("cache_hits", alias="default", tier="remote").count == 5
    assert found("cache_hits", alias="default", tier="local").count == 4
    assert found("cache_misses", alias="default").count == 1
    assert found("cache_bytes", alias="default", which="raw").count == 500
    assert found("cache_errors", alias="default", error="server").count == 2


def test_tasks_are_heard() -> None:
    runs = [
        ("mail.send", "high", "successful", 0.25, 1.5),
        ("mail.send", "high", "successful", 0.75, 2.5),
        ("mail.send", "high", "failed", 0.5, 0.0),
    ]
    tasks_measured.send(sender=object, runs=runs)
    task_parked.send(sender=object, level="high", task="mail.send")
    metrics.flush()

    labels = {"task": "mail.send", "level": "high"}
    assert found("task_seconds", status="successful", **labels).sum == 4
    assert found("task_seconds", status="failed", **labels).count == 1
    assert found("task_wait_seconds", **labels).sum == 1.5
    assert found("tasks_parked", level="high").count == 1
