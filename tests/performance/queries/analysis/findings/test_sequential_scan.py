from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding
from performance.queries.analysis.statements import Statement

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def table(admin: Admin, rows: int = 20_000) -> None:
    admin.execute(
        f"CREATE TABLE t AS SELECT n AS id, n % 500 AS owner, 'word' || n AS name FROM generate_series(1, {rows}) n"
    )
    admin.execute("ANALYZE t")


def test_all_read_and_few_kept(admin: Admin, find: Find) -> None:
    table(admin)

    (found,) = find("sequential_scan", "SELECT * FROM t WHERE owner = $1")
    assert found.about == "t"

    admin.execute("CREATE INDEX ON t (owner)")
    assert find("sequential_scan", "SELECT * FROM t WHERE owner = $1") == []


def test_all_read_and_all_kept(admin: Admin, find: Find) -> None:
    table(admin)

    assert find("sequential_scan", "SELECT * FROM t") == []


def test_what_was_measured_to_be_quick_is_left_alone(admin: Admin, find: Find) -> None:
    table(admin)
    sql = "SELECT * FROM t WHERE owner = $1"

    assert find("sequential_scan", Statement(id="1", sql=sql, calls=10_000, seconds=1.0)) == []
    assert find("sequential_scan", Statement(id="1", sql=sql, calls=100, seconds=1.0))
