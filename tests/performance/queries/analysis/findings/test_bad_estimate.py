from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis import Options
from performance.queries.analysis.analysis import analysed
from performance.queries.analysis.database import Database
from performance.queries.analysis.findings import Finding
from performance.queries.analysis.statements import Statement

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def table(admin: Admin, rows: int = 20_000) -> None:
    admin.execute(
        f"CREATE TABLE t AS SELECT n AS id, n % 500 AS owner, 'word' || n AS name FROM generate_series(1, {rows}) n"
    )
    admin.execute("ANALYZE t")


def test_columns_that_depend_on_each_other(admin: Admin, database: Database) -> None:
    admin.execute(
        "CREATE TABLE t AS SELECT n % 100 AS a, n % 100 AS b FROM generate_series(1, 200000) n"
    )
    admin.execute("ANALYZE t")
    sql = "SELECT * FROM t WHERE a = 5 AND b = 5"

    (found,) = measure(database, sql)
    assert found.about == "t"

    admin.execute("CREATE STATISTICS both_of_t (mcv) ON a, b FROM t")
    admin.execute("ANALYZE t")
    assert measure(database, sql) == []


def measure(database: Database, sql: str) -> list[Finding]:
    options = Options(analyze=True, verify="none")
    report = analysed(database, [Statement(id="1", sql=sql, seconds=1)], options)
    return [one for one in report.findings if one.kind == "bad_estimate"]
