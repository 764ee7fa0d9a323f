from __future__ import annotations

from typing import Any

import psycopg

from performance.queries.analysis.database import Database
from performance.queries.analysis.statements import from_pg_stat_statements


def test_a_text_that_was_stored_with_its_values_loses_them(
    admin: psycopg.Connection[Any], database: Database
) -> None:
    """pg_stat_statements keeps the raw text where an entry was evicted while its statement ran."""
    admin.execute("CREATE EXTENSION pg_stat_statements")
    admin.execute("CREATE TABLE t (a text, b int)")
    admin.execute("SELECT pg_stat_statements_reset()")
    admin.execute("SELECT * FROM t WHERE a = 'kept' AND b = 5")
    admin.execute("ALTER EXTENSION pg_stat_statements DROP VIEW pg_stat_statements")
    admin.execute("ALTER VIEW pg_stat_statements RENAME TO counted")
    admin.execute(
        "CREATE VIEW pg_stat_statements AS SELECT *, 1 AS own FROM (SELECT userid, dbid, queryid, "
        "'SELECT * FROM t WHERE a = ''canary'' AND b = 5 /* canary */' AS query, calls, total_exec_time, "
        "max_exec_time, mean_exec_time, stddev_exec_time, rows, shared_blks_hit, shared_blks_read, "
        "temp_blks_written FROM counted WHERE query LIKE '%FROM t WHERE%')"
    )

    (found,) = from_pg_stat_statements(database).statements

    assert found.sql == "SELECT * FROM t WHERE a = ? AND b = ?"
