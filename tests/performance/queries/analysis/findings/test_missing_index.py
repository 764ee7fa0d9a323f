from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis import Options, Severity
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


def test_a_suggestion_is_a_finding(admin: Admin, database: Database) -> None:
    table(admin)
    statement = Statement(id="1", sql="SELECT * FROM t WHERE owner = $1", calls=10, seconds=1)

    report = analysed(database, [statement], Options(verify="none"))

    (found,) = [one for one in report.findings if one.kind == "missing_index"]
    assert (found.severity, found.statement) == ("critical", "1")
    assert found.sql.startswith("CREATE INDEX CONCURRENTLY")
    assert report.at_least(Severity.CRITICAL)
