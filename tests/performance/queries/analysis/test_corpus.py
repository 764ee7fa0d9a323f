"""Every case of the corpus, judged by HypoPG: `python -m tests.verification.index_advice` really builds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.verifiers import choose
from tests import postgresql
from tests.performance.queries.corpus import CASES, DATASETS
from tests.performance.queries.corpus.case import Case
from tests.verification.advice_cases import advised, fill

UNKNOWABLE = {"extract of a date"}  # no statistics of an expression before there is an index on it


@pytest.fixture(scope="module", params=DATASETS)
def corpus(
    request: pytest.FixtureRequest, debian: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    with postgresql.scratch(debian, f"corpus_{request.param}") as place:
        fill(place, request.param, hypopg=True)
        yield request.param, place


def test_the_best_known_indexes_or_none(corpus: tuple[str, dict[str, Any]]) -> None:
    dataset, place = corpus
    wrong = []
    with psycopg.connect(**place, autocommit=True) as connection:
        database = Database(connection)
        catalog = Catalog(database)
        for case in (one for one in CASES if one.dataset == dataset):
            with choose(database, catalog, "hypopg")[0] as verifier:
                found = advised(database, catalog, verifier, case)
            if not right(connection, case, [one.index.unnamed for one in found]):
                wrong.append((case.name, [one.index.definition for one in found]))

    assert [name for name, _ in wrong if name not in UNKNOWABLE] == [], wrong


def right(connection: psycopg.Connection[Any], case: Case, found: list[str]) -> bool:
    """As many indexes as the best set has, at about its cost; none where none helps."""
    if not case.best or not case.hypothetical:
        return len(found) == len(case.best)
    best = hypothetical(connection, case, [f"CREATE INDEX ON {one}" for one in case.best])
    return hypothetical(connection, case, found) <= best * 1.5 + 10


def hypothetical(connection: psycopg.Connection[Any], case: Case, indexes: list[str]) -> float:
    total = 0.0
    for ddl in indexes:
        connection.execute("SELECT hypopg_create_index(%s)", [ddl])
    for sql, _calls in case.queries:
        found = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode()).fetchone()
        assert found
        total += float(found[0][0]["Plan"]["Total Cost"])
    connection.execute("SELECT hypopg_reset()")
    return total
