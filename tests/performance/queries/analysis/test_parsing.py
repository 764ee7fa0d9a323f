"""SQL that no parser likes must not end an analysis."""

from __future__ import annotations

from contextlib import suppress

import pytest

from performance.queries.analysis import parsing
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.concrete import variants
from performance.queries.analysis.database import Database
from performance.queries.analysis.exceptions import NotPlanned

ODD = [
    "",
    ";",
    "-- nothing",
    "/* a /* nested */ comment */ SELECT 1",
    "SELECT",
    "SELECT FROM",
    "SELEC 1",
    "SELECT 'open",
    "SELECT $tag$ a ' b $tag$",
    "SELECT \0",
    "SELECT " + "(" * 9_000 + "1" + ")" * 9_000,
    "SELECT " + " + ".join(["1"] * 3_000),
    "SELECT 1; DROP TABLE t",
    "VACUUM", "BEGIN", "SET x = 1", "COPY t FROM STDIN", "EXPLAIN SELECT 1", "LISTEN x",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r",
    "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x",
    "SELECT * FROM t, LATERAL (SELECT t.id) l",
    "SELECT data #>> '{a,b}', data @? '$.a[*] ? (@ > 1)' FROM t WHERE data @@ '$.a > 1'",
    'SELECT "weird ""name""" FROM "Table With Space"',
    "SELECT * FROM t WHERE id IN (" + ",".join(map(str, range(150_000))) + ")",
    "SELECT * FROM t WHERE a = %s AND b LIKE '100%%' AND c = %(name)s",
    "SELECT * FROM t WHERE a > now() - interval $1",
    "SELECT EXTRACT($1 FROM a) FROM t",
    "SELECT * FROM t WHERE id IN ($1 /*, ... */)",
    "SELECT U&'d\\0061t' UESCAPE '\\'",
    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
    "TABLE t", "VALUES (1), (2)",
    "SELECT * FROM t TABLESAMPLE SYSTEM (1) FOR UPDATE SKIP LOCKED",
    "SELECT count(*) FILTER (WHERE a > 1) OVER w FROM t WINDOW w AS (PARTITION BY b)",
    "\N{SNOWMAN}", "SELECT '\N{SNOWMAN}' AS \N{LATIN SMALL LETTER E WITH ACUTE}, $1::text",
]  # fmt: skip


@pytest.mark.parametrize("sql", ODD, ids=[text[:40].replace("\0", "NUL") for text in ODD])
def test_odd_statements_are_planned_or_refused(sql: str, database: Database) -> None:
    catalog = Catalog(database)

    for text in (sql, parsing.repaired(sql)):
        parsing.parsed(text)
    with suppress(NotPlanned):
        for variant in variants(sql, database, catalog):
            database.explain(variant.sql)


def test_a_second_statement_is_never_sent(database: Database) -> None:
    with pytest.raises(NotPlanned, match="42601"):
        database.explain("SELECT 1; CREATE TABLE should_not_be ()")


def test_what_pg_stat_statements_broke_is_mended() -> None:
    mended = parsing.repaired("SELECT EXTRACT($1 FROM a) FROM t WHERE a > now() - interval $2")

    assert parsing.single(mended)
    assert "$2::interval" in mended


def test_a_drivers_placeholders_are_numbered() -> None:
    sql = "SELECT '%s' FROM t WHERE a = %s AND b LIKE 'x%%' AND c = %(name)s"

    assert parsing.repaired(sql) == "SELECT '%s' FROM t WHERE a = $1 AND b LIKE 'x%%' AND c = $2"


def test_the_logs_marks_are_numbered_and_operators_stay() -> None:
    sql = "SELECT * FROM t WHERE a = ? AND meta ? ? AND tags ?| ARRAY[?] AND id IN (?) LIMIT ?"

    mended = parsing.repaired(sql)

    assert mended == (
        "SELECT * FROM t WHERE a = $1 AND meta ? $2 AND tags ?| ARRAY[$3] AND id IN ($4 /*, ... */) LIMIT $5"
    )
    assert parsing.single(mended)


def test_intervals_of_the_log_are_mended() -> None:
    assert (
        "$1::interval" in parsing.repaired("SELECT 1 FROM t WHERE a > now() - INTERVAL ?").lower()
    )
