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


def test_many_scans(admin: Admin, find: Find) -> None:
    table(admin)
    for _ in range(110):
        admin.execute("SELECT count(*) FROM t WHERE owner = 1")
    admin.execute("SELECT pg_stat_force_next_flush()")

    (found,) = find("sequentially_scanned_table")

    assert found.about == "t"


def test_few_scans(admin: Admin, find: Find) -> None:
    table(admin)

    assert find("sequentially_scanned_table") == []
