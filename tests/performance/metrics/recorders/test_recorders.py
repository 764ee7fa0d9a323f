from __future__ import annotations

import time

import pytest
from django.db import connections

from performance import metrics
from performance.metrics import process
from performance.metrics.recorders import pools, queries
from performance.signals import cache_measured, task_parked, tasks_measured
from tests.performance.metrics.stored import found, stored

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


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", "select"),
        ("  \n(select 1) UNION (select 2)", "select"),
        ("INSERT INTO t VALUES (1)", "insert"),
        ("UPDATE t SET a = 1", "update"),
        ("delete from t", "delete"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "other"),
        ("SAVEPOINT s", "other"),
        ("", "other"),
    ],
)
def test_kinds_of_statements(sql: str, kind: str) -> None:
    assert queries.kind_of(sql) == kind


def test_statements_and_their_errors() -> None:
    process.record(queries.ran, "default", "SELECT 1", [0.1, 0.2, 0.6], 0.5)
    process.record(queries.failed, "default", {"DataError": 2})
    metrics.flush()

    assert found("query_seconds", alias="default", kind="select").count == 3
    assert found("slow_queries", alias="default").count == 1
    assert found("query_errors", alias="default", error="DataError").count == 2


@pytest.mark.django_db
def test_pools_are_sampled_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    connections["default"].ensure_connection()
    monkeypatch.setattr(pools, "_next", 0.0)
    pools.sample()
    pools.sample()
    metrics.flush()

    in_use = found("pool_connections", alias="default", state="in_use")
    assert in_use.count == 1
    assert in_use.max >= 1
    assert pools._next > time.monotonic()
    assert found("pool_connections", alias="default", state="most").max == 6


def test_an_alias_without_a_pool_has_no_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_pool_of", lambda connection: None)
    monkeypatch.setattr(pools, "_next", 0.0)
    pools.sample()
    metrics.flush()
    assert stored() == {}
