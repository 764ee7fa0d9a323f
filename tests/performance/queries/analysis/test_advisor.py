"""Suggestions with HypoPG on PostgreSQL 15, and by reasoning on 18."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.advisor import Suggestion, suggestions
from performance.queries.analysis.analysis import Options, analysed
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.statements import Statement, from_texts
from performance.queries.analysis.verifiers import choose
from performance.queries.analysis.workload import prepare
from performance.queries.analysis.writes import writes_of
from tests import postgresql

SCHEMA = """
CREATE TABLE job (
    id bigserial PRIMARY KEY, status text, owner int, created timestamptz, email text, data jsonb
);
INSERT INTO job (status, owner, created, email, data)
SELECT CASE WHEN n % 100 = 0 THEN 'pending' ELSE 'done' END, n % 1000, timestamptz '2024-01-01' + n * interval '1 min',
    'User' || n || '@example.org', jsonb_build_object('k', n % 3000)
FROM generate_series(1, 20000) n;
VACUUM ANALYZE job
"""


def fill(place: dict[str, Any]) -> None:
    with psycopg.connect(**place, autocommit=True) as connection:
        for statement in SCHEMA.split(";"):
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def eighteen(place: dict[str, Any]) -> dict[str, Any]:
    fill(place)
    return place


@pytest.fixture(scope="module")
def fifteen(debian: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with postgresql.scratch(debian, "advisor") as place:
        with psycopg.connect(**place, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION hypopg")
        fill(place)
        yield place


@pytest.fixture(params=["fifteen", "eighteen"])
def server(request: pytest.FixtureRequest) -> dict[str, Any]:
    place: dict[str, Any] = request.getfixturevalue(request.param)
    return place


def advise(place: dict[str, Any], *statements: tuple[str, int]) -> list[Suggestion]:
    with psycopg.connect(**place) as connection:
        database = Database(connection)
        catalog = Catalog(database)
        asked = from_texts(statements)
        verifier, _note = choose(database, catalog, "auto")
        with verifier:
            workload = prepare(asked, database, catalog, verifier)
            assert not workload.skipped
            return suggestions(workload, catalog, writes_of(asked))


def definitions(found: list[Suggestion]) -> list[str]:
    return [suggestion.index.definition for suggestion in found]


CASES = {
    "SELECT * FROM job WHERE owner = 7": "public.job (owner)",
    "SELECT * FROM job WHERE owner = $1": "public.job (owner)",
    "SELECT * FROM job WHERE lower(email) = 'x'": "public.job ((lower(email)))",
    "SELECT max(created) FROM job": "public.job (created)",
    "SELECT * FROM job WHERE status = 'pending' ORDER BY created LIMIT 5": (
        "public.job (created) WHERE status = 'pending'::text"
    ),
    "SELECT * FROM job ORDER BY created DESC LIMIT 10": "public.job (created)",
    "UPDATE job SET status = 'done' WHERE owner = 7": "public.job (owner)",
    "DELETE FROM job WHERE owner = 7": "public.job (owner)",
    "SELECT * FROM job j WHERE NOT EXISTS (SELECT 1 FROM job k WHERE k.owner = j.owner AND k.id = 3) AND j.owner = 9": (
        "public.job (owner)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("sql", CASES)
def test_the_index_that_helps(sql: str, server: dict[str, Any]) -> None:
    found = advise(server, (sql, 100))

    assert definitions(found) == [CASES[sql]]
    assert found[0].ratio < 0.5
    assert found[0].plan_after != found[0].plan_before


NONE = [
    "SELECT * FROM job WHERE status = 'done'",
    "SELECT * FROM job WHERE id = 7",
    "SELECT * FROM job WHERE id = 7 AND owner = 7",
    "SELECT count(*) FROM job",
    "SELECT * FROM job",
    "INSERT INTO job (owner) VALUES (1)",
]


@pytest.mark.parametrize("sql", NONE)
def test_no_index_where_none_helps(sql: str, server: dict[str, Any]) -> None:
    assert definitions(advise(server, (sql, 100))) == []


def test_one_index_serves_the_whole_workload(server: dict[str, Any]) -> None:
    found = advise(
        server,
        ("SELECT * FROM job WHERE owner = 7", 100),
        ("SELECT * FROM job WHERE owner = 7 AND created > '2024-01-14'", 100),
        ("SELECT * FROM job WHERE owner = 7 ORDER BY created LIMIT 1", 100),
    )

    assert len(found) == 1
    assert found[0].index.columns[0] == "owner"
    assert len(found[0].gains) == 3


def test_writes_weigh_against_an_index(server: dict[str, Any]) -> None:
    read = ("SELECT * FROM job WHERE owner = 7", 1)

    assert advise(server, read, ("INSERT INTO job (owner) VALUES (1)", 100))
    assert not advise(server, read, ("INSERT INTO job (owner) VALUES (1)", 10_000_000))


def test_what_is_measured_to_be_quick_needs_none(eighteen: dict[str, Any]) -> None:
    with psycopg.connect(**eighteen) as connection:
        database = Database(connection)
        found = {
            seconds: analysed(
                database,
                [
                    Statement(
                        id="1", sql="SELECT * FROM job WHERE owner = $1", calls=100, seconds=seconds
                    )
                ],
                Options(verify="none"),
            ).suggestions
            for seconds in (0.05, 5.0)
        }

    assert [len(one) for one in found.values()] == [0, 1]


def test_either_arm_of_an_or_gets_its_index(server: dict[str, Any]) -> None:
    found = advise(server, ("SELECT * FROM job WHERE owner = 7 OR email = 'x'", 10))

    assert sorted(definitions(found)) == ["public.job (email)", "public.job (owner)"]


def test_evidence_holds_no_value(server: dict[str, Any]) -> None:
    (found,) = advise(server, ("SELECT * FROM job WHERE email = 'canary@example.org'", 10))

    assert "canary" not in repr((found.plan_before, found.plan_after, found.gains))


def test_hypothetical_indexes_are_gone_afterwards(fifteen: dict[str, Any]) -> None:
    (found,) = advise(fifteen, ("SELECT * FROM job WHERE owner = 7", 10))

    assert found.confidence == "verified"
    with psycopg.connect(**fifteen) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_indexes WHERE tablename = 'job'"
        ).fetchone() == (1,)


def test_reasoning_says_that_it_is_reasoning(eighteen: dict[str, Any]) -> None:
    (found,) = advise(eighteen, ("SELECT * FROM job WHERE owner = 7", 10))

    assert found.confidence == "estimated"
