from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_never_analyzed_and_analyzed(admin: Admin, find: Find) -> None:
    admin.execute(
        "CREATE TABLE t WITH (autovacuum_enabled = false) AS SELECT generate_series(1, 5000) AS a"
    )
    admin.execute("SELECT pg_stat_force_next_flush()")

    (found,) = find("stale_statistics")
    assert "never" in found.said

    admin.execute("ANALYZE t")
    admin.execute("SELECT pg_stat_force_next_flush()")
    assert find("stale_statistics") == []

    admin.execute("UPDATE t SET a = a + 1")
    admin.execute("SELECT pg_stat_force_next_flush()")
    (found,) = find("stale_statistics")
    assert found.sql == "ANALYZE public.t"
