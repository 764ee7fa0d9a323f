from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def table(admin: Admin, rows: int = 20_000) -> None:
    admin.execute(
        f"CREATE TABLE t AS SELECT n AS id, n % 500 AS owner, 'word' || n AS name FROM generate_series(1, {rows}) n"
    )
    admin.execute("ANALYZE t")


def test_a_count_of_much(admin: Admin, find: Find) -> None:
    table(admin, 60_000)

    assert len(find("count_all", "SELECT count(*) FROM t")) == 1
    assert find("count_all", "SELECT count(*) FROM t WHERE owner = $1") == []
    assert find("count_all", "SELECT owner, count(*) FROM t GROUP BY owner") == []
    assert find("count_all", "SELECT max(id) FROM t") == []
