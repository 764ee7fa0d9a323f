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


def test_a_word_within(admin: Admin, find: Find) -> None:
    table(admin)

    assert len(find("leading_wildcard", "SELECT * FROM t WHERE name LIKE '%ord7%'")) == 1
    assert len(find("leading_wildcard", "SELECT * FROM t WHERE name ILIKE $1")) == 1
    assert find("leading_wildcard", "SELECT * FROM t WHERE name LIKE 'word7%'") == []
