from __future__ import annotations

from datetime import timedelta

import pytest

from performance import metrics
from performance.queries.analysis.pools import pool_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_what_processes_recorded_comes_back() -> None:
    for seconds in (0.001, 0.2, 0.2):
        metrics.observe("connection_wait_seconds", seconds, alias="pooled")
    metrics.observe("connection_wait_seconds", 9.0, alias="another")
    metrics.gauge("pool_connections", 4, alias="pooled", state="waiting")
    metrics.gauge("pool_connections", 10, alias="pooled", state="max")
    metrics.count("pool_timeouts", 2, alias="pooled")
    metrics.count("pool_connections_lost", 3, alias="pooled")
    assert metrics.flush()

    pool = pool_of("pooled", DAY)

    assert pool is not None
    assert pool.p95 == pytest.approx(0.2, rel=0.02)
    assert (pool.waits, pool.most_waiting, pool.timeouts, pool.lost) == (3, 4, 2, 3)


def test_a_database_without_a_pool() -> None:
    assert pool_of("never_measured", DAY) is None
