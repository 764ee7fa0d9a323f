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


def test_a_function_around_an_indexed_column(admin: Admin, find: Find) -> None:
    table(admin)
    admin.execute("CREATE INDEX ON t (name)")

    (found,) = find("defeated_index", "SELECT * FROM t WHERE lower(name) = $1")
    assert found.about == "t.name"

    admin.execute("CREATE INDEX ON t (lower(name))")
    admin.execute("ANALYZE t")
    assert find("defeated_index", "SELECT * FROM t WHERE lower(name) = $1") == []


def test_a_cast_around_an_indexed_column(admin: Admin, find: Find) -> None:
    table(admin)
    admin.execute("CREATE INDEX ON t (owner)")

    (found,) = find("defeated_index", "SELECT * FROM t WHERE owner::text = $1")

    assert found.about == "t.owner"
    assert find("defeated_index", "SELECT * FROM t WHERE owner = $1") == []
