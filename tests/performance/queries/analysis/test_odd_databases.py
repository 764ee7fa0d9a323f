"""Databases, statements and roles that nobody expects: a report all the same, without any value in it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from performance.queries.analysis import FORMATS, Options, Report, render
from performance.queries.analysis.analysis import analysed
from performance.queries.analysis.database import Database, Limits
from performance.queries.analysis.django_index import migration
from performance.queries.analysis.statements import Statement

Admin = psycopg.Connection[Any]

ODD = """
CREATE SCHEMA "My Schema";
CREATE TYPE "My Schema"."Mood" AS ENUM ('canary', 'glad');
CREATE DOMAIN "My Schema".money_ AS numeric CHECK (value > -1000000);
CREATE TABLE "My Schema"."Weird ""Table" (
    "select" int, "Üñí" text, "a.b" text[], mood "My Schema"."Mood", price "My Schema".money_,
    doc jsonb, at timestamptz, span int4range, twice int GENERATED ALWAYS AS ("select" * 2) STORED
);
INSERT INTO "My Schema"."Weird ""Table" SELECT n % 900, 'canary\\' || n, ARRAY['canary', 'x,"y'], 'canary', n,
    '{"canary": 1}', now(), int4range(n, n + 5) FROM generate_series(1, 20000) n;
CREATE INDEX "my ""index" ON "My Schema"."Weird ""Table" (lower("Üñí")) WHERE "select" > 5;
CREATE TABLE parted (id int, day date, note text) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT n % 5000, date '2024-01-01' + n % 700, 'canary' || n FROM generate_series(1, 40000) n;
CREATE TABLE empty ();
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
CREATE UNLOGGED TABLE unlogged (a int);
CREATE MATERIALIZED VIEW seen AS SELECT * FROM parted;
CREATE VIEW shown AS SELECT * FROM seen;
ANALYZE;
"""
NAME = '"My Schema"."Weird ""Table"'
STATEMENTS = [
    f'SELECT * FROM {NAME} WHERE "select" = $1 AND "Üñí" = $2 ORDER BY "a.b" LIMIT $3',
    f'SELECT * FROM {NAME} WHERE "Üñí" = \'canary\\\' AND "select" = 7 /* canary */ -- canary',
    f"""SELECT * FROM {NAME} WHERE doc @> '{{"canary": 1}}' AND "a.b" && ARRAY['canary']""",
    f"SELECT * FROM {NAME} WHERE mood = $1 AND price > $2 AND span @> $3",
    f"UPDATE {NAME} SET doc = doc || $1 WHERE \"select\" = $2 RETURNING 'canary'",
    "SELECT * FROM parted WHERE id = $1",
    "SELECT * FROM parted WHERE day = '2024-05-05' AND note LIKE '%canary%'",
    "SELECT count(*) FROM shown WHERE note = U&'d\\0061t\\+000061 canary'",
    "SELECT FROM empty",
    "SELECT * FROM parent",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 50) SELECT * FROM r, parted WHERE id = n",
    "WITH gone AS (DELETE FROM parted WHERE id = $1 RETURNING *) SELECT * FROM gone",
    "SELECT * FROM parted p, LATERAL (SELECT * FROM parted q WHERE q.id = p.id ORDER BY q.day DESC LIMIT 1) x",
    "MERGE INTO parted p USING (SELECT 1 AS id) s ON p.id = s.id WHEN MATCHED THEN UPDATE SET note = 'canary'",
    "SELECT doc -> 'canary' ->> 0 FROM " + NAME + " WHERE doc @? '$.canary[*] ? (@ > 1)'",
    "SELECT * FROM parted WHERE id IN (" + ", ".join(str(n) for n in range(700_000, 703_000)) + ")",
    "SELECT * FROM nowhere.at_all WHERE a = 'canary'",
    "SELECT 'canary cut in the mid",
    "SELECT pg_sleep(60) /* canary */",
    "VACUUM parted; DROP TABLE parted",
    "COPY parted TO '/tmp/canary'",
    "SELECT * FROM parted FOR UPDATE",
    "DECLARE c CURSOR FOR SELECT * FROM parted WHERE note = 'canary'",
    "SELECT $1::nonesuch", "SELECT 1 FROM parted WHERE id = $7", "", ";", "\0", "SELECT 1; SELECT 2",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT * FROM parted WHERE " + " OR ".join(f"id = {n}" for n in range(700_000, 700_200)),
]  # fmt: skip
DEEP = "SELECT * FROM (" * 250 + "SELECT 1" + " LIMIT 5) x" * 250


def report(database: Database, **options: Any) -> Report:
    asked = [
        Statement(id=str(n), sql=sql, calls=100, seconds=10.0) for n, sql in enumerate(STATEMENTS)
    ]
    asked.append(Statement(id="deep", sql=DEEP, calls=100, seconds=10.0))
    return analysed(database, asked, Options(limit=100, verify="none", **options))


@pytest.fixture
def odd(admin: Admin) -> Admin:
    admin.execute('DROP SCHEMA IF EXISTS "My Schema" CASCADE')
    admin.execute(ODD)
    return admin


@pytest.mark.parametrize("analyze", [False, True])
def test_odd_names_and_statements_never_end_it(
    odd: Admin, database: Database, analyze: bool
) -> None:
    database.limits = Limits(statement=3000, analyze=300)

    found = report(database, analyze=analyze)

    tables = {one.index.table for one in found.suggestions}
    assert 'Weird "Table' in tables
    for form in FORMATS:
        shown = render(found, form)
        assert "canary" not in shown, form
        assert "70000" not in shown
    assert ("deep", "the plan has more than 200 levels") in found.skipped
    assert odd.execute("SELECT count(*) FROM parted").fetchone() == (40000,)
    for one in found.suggestions:
        compile(migration(one.index), "migration", "exec")
        odd.execute(one.index.create().encode())
        odd.execute(one.index.drop().encode())


def test_a_role_that_may_next_to_nothing(
    odd: Admin, place: dict[str, Any], stack: ExitStack
) -> None:
    odd.execute("DROP ROLE IF EXISTS analysis_nobody")
    odd.execute("CREATE ROLE analysis_nobody LOGIN")
    try:
        connection = stack.enter_context(psycopg.connect(**place, autocommit=True))
        connection.execute("SET SESSION AUTHORIZATION analysis_nobody")
        found = report(Database(connection))
        connection.close()
    finally:
        odd.execute("DROP ROLE analysis_nobody")

    said = " ".join(found.notes)
    assert "may not be read" in said
    assert "pg_read_all_stats" in said
    assert "could not be looked for" not in said
    assert {why for _, why in found.skipped} >= {"InsufficientPrivilege (42501)"}
    assert all("canary" not in render(found, form) for form in FORMATS)
