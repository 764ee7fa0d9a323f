from __future__ import annotations

from typing import Any

import psycopg
import pytest

from performance.queries.analysis import Options
from performance.queries.analysis.analysis import analysed
from performance.queries.analysis.clone import Clone
from performance.queries.analysis.database import Database
from performance.queries.analysis.exceptions import AnalysisError
from performance.queries.analysis.statements import Statement

ADMIN = psycopg.Connection[Any]


def fill(admin: ADMIN) -> None:
    admin.execute("CREATE EXTENSION pg_trgm")
    admin.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    admin.execute(
        "CREATE TABLE t AS SELECT n AS id, n % 3000 AS owner, 'good'::mood AS mood, md5(n::text) AS name,"
        " jsonb_build_object('k', n % 900) AS data FROM generate_series(1, 20000) n"
    )
    admin.execute("CREATE TABLE empty (a int)")
    admin.execute("CREATE VIEW seen AS SELECT owner FROM t WHERE mood = 'good'")
    admin.execute("ANALYZE")


CASES = {
    "SELECT * FROM t WHERE owner = $1": "public.t (owner)",
    "SELECT * FROM seen WHERE owner = $1": "public.t (owner)",
    "SELECT id FROM t WHERE name ILIKE '%abcdef%'": "public.t USING gin (name gin_trgm_ops)",
    "SELECT * FROM t WHERE data @> '{\"k\": 7}'": "public.t USING gin (data jsonb_path_ops)",
}


@pytest.fixture
def databases(place: dict[str, Any]) -> Any:
    def names() -> set[str]:
        with psycopg.connect(**place) as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
        return {row[0] for row in rows if row[0].startswith("analyze_queries")}

    return names


def test_indexes_are_built_on_a_copy_that_goes(
    admin: ADMIN, database: Database, databases: Any
) -> None:
    fill(admin)
    asked = [Statement(id=str(n), sql=sql, calls=10, seconds=1) for n, sql in enumerate(CASES)]

    report = analysed(database, asked, Options(verify="clone"))

    assert {one.index.definition for one in report.suggestions} == set(CASES.values())
    assert {one.confidence for one in report.suggestions} == {"sampled"}
    assert databases() == set()
    assert admin.execute(
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'"
    ).fetchone() == (0,)


def test_it_goes_when_something_fails(
    admin: ADMIN, database: Database, databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_clone: Clone) -> None:
        assert databases()
        raise ZeroDivisionError

    monkeypatch.setattr(Clone, "_fill", fail)

    with pytest.raises(ZeroDivisionError):
        analysed(database, [], Options(verify="clone"))
    assert databases() == set()


def test_a_role_that_may_not(admin: ADMIN, place: dict[str, Any]) -> None:
    admin.execute("DROP ROLE IF EXISTS analysis_reader")
    admin.execute("CREATE ROLE analysis_reader LOGIN")
    try:
        with (
            psycopg.connect(**{**place, "user": "analysis_reader"}) as connection,
            pytest.raises(AnalysisError, match="CREATEDB"),
        ):
            analysed(Database(connection), [], Options(verify="clone"))
    finally:
        admin.execute("DROP ROLE analysis_reader")


def test_what_a_role_may_not_see_is_said(admin: ADMIN, place: dict[str, Any]) -> None:
    fill(admin)
    admin.execute("DROP ROLE IF EXISTS analysis_reader")
    admin.execute("CREATE ROLE analysis_reader LOGIN")
    try:
        with psycopg.connect(**{**place, "user": "analysis_reader"}) as connection:
            asked = [Statement(id="1", sql="SELECT * FROM t WHERE owner = $1", seconds=1)]
            report = analysed(Database(connection), asked, Options())
    finally:
        admin.execute("DROP ROLE analysis_reader")

    notes = " ".join(report.notes)
    assert "2 of 2 tables may not be read" in notes
    assert "pg_read_all_stats" in notes
    assert [number for number, _why in report.skipped] == ["1"]
