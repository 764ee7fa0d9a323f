from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]

WIDE = "CREATE TABLE t AS SELECT n AS id, repeat('a', 300) AS a, repeat('b', 300) AS b, 1 AS c FROM generate_series(1, 500) n"


def test_wide_rows_in_full(admin: Admin, find: Find) -> None:
    admin.execute(WIDE)
    admin.execute("ANALYZE t")

    assert len(find("select_star", "SELECT id, a, b, c FROM t")) == 1
    assert len(find("select_star", "SELECT * FROM t")) == 1
    assert find("select_star", "SELECT id, c FROM t") == []
    assert find("select_star", "SELECT * FROM t LIMIT 10") == []
