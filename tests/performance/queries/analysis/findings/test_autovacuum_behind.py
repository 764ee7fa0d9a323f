from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_dead_rows(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int) WITH (autovacuum_enabled = false)")
    admin.execute("INSERT INTO t SELECT generate_series(1, 20000)")
    admin.execute("UPDATE t SET a = a + 1")
    admin.execute("SELECT pg_stat_force_next_flush()")

    (found,) = find("autovacuum_behind")
    assert found.severity == "warning"
    assert "switched off" in found.said

    admin.execute("VACUUM t")
    admin.execute("SELECT pg_stat_force_next_flush()")
    assert find("autovacuum_behind") == []
