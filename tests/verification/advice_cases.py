"""The cases of index advice by several methods: every suggested index really built, every statement planned."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from performance.queries.analysis.advisor import Suggestion, suggestions
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.statements import from_texts
from performance.queries.analysis.verifier import Verifier
from performance.queries.analysis.verifiers import choose
from performance.queries.analysis.workload import prepare
from performance.queries.analysis.writes import writes_of
from tests import postgresql
from tests.performance.queries.corpus import CASES, DATASETS
from tests.performance.queries.corpus.case import Case
from tests.verification import advice_peers as peers

Place = dict[str, Any]
Connection = psycopg.Connection[Any]
NEAR, CLOSE = 1.25, 0.10


@dataclass(slots=True)
class Tally:
    """What one method reached over all cases."""

    cost: float = 0.0
    solved: int = 0
    wanted: int = 0
    useful: int = 0
    suggested: int = 0
    covered: int = 0
    needless: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    predicted: list[float] = field(default_factory=list)
    plain: float = 0.0  # cost of the cases that a B-tree on plain columns solves


def ours(place: Place, case: Case, verify: str) -> list[Suggestion]:
    """What the analysis suggests for a case."""
    with psycopg.connect(**place) as connection:
        database = Database(connection)
        catalog = Catalog(database)
        with choose(database, catalog, verify)[0] as verifier:
            return advised(database, catalog, verifier, case)


def advised(
    database: Database, catalog: Catalog, verifier: Verifier, case: Case
) -> list[Suggestion]:
    """The same on a session that is there already."""
    statements = from_texts(case.queries)
    workload = prepare(statements, database, catalog, verifier)
    return suggestions(workload, catalog, writes_of(statements))


def methods(
    place: Place, connection: Connection, *, hypopg: bool
) -> dict[str, Callable[[Case], list[str]]]:
    """Each method's way from a case to statements that create indexes."""
    found: dict[str, Callable[[Case], list[str]]] = {
        "none": lambda case: [],
        "best known": lambda case: [f"CREATE INDEX ON {one}" for one in case.best],
        "estimated": lambda case: [s.index.unnamed for s in ours(place, case, "none")],
    }
    if hypopg:
        found |= {
            "verified": lambda case: [s.index.unnamed for s in ours(place, case, "hypopg")],
            "index_advisor": lambda case: peers.index_advisor(
                connection, _texts(case, peers.normalised)
            ),
            "index_advisor, values given": lambda case: peers.index_advisor(
                connection, _texts(case)
            ),
            "dexter": lambda case: peers.dexter(connection, _texts(case, peers.normalised)),
            "dexter, values given": lambda case: peers.dexter(connection, _texts(case)),
        }
    return found


def _texts(case: Case, change: Callable[[str], str] = str) -> list[str]:
    return [change(sql) for sql, _calls in case.queries]


@contextmanager
def built(connection: Connection, indexes: list[str]) -> Iterator[None]:
    """The indexes as real ones, for the time of a transaction that is rolled back."""
    with connection.transaction(force_rollback=True):
        for ddl in indexes:
            connection.execute(ddl.encode())
        if any(
            "((" in ddl or "(lower(" in ddl or "(upper(" in ddl or "(co" in ddl for ddl in indexes
        ):
            connection.execute("ANALYZE")
        yield


def cost(connection: Connection, case: Case) -> float:
    """Cost of each of the case's statements once."""
    total = 0.0
    for sql, _calls in case.queries:
        found = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode()).fetchone()
        assert found
        total += float(found[0][0]["Plan"]["Total Cost"])
    return total


def judge(
    connection: Connection, case: Case, indexes: list[str], best: float, tally: Tally
) -> None:
    """Adds a case to a method's tally."""
    with built(connection, indexes):
        reached = cost(connection, case)
    for index in indexes:
        with built(connection, [other for other in indexes if other != index]):
            useful = cost(connection, case) >= reached * 1.05
        tally.suggested += 1
        tally.useful += useful
        if not useful:
            tally.needless.append(f"{case.name}: {index}")
    if case.best:
        tally.cost += reached
        tally.plain += reached if _plain(case) else 0.0
        tally.wanted += 1
        tally.solved += reached <= best * NEAR + 5
        if reached > best * NEAR + 5:
            tally.missed.append(f"{case.name}: {reached:.0f}, best {best:.0f}; {indexes}")


def _plain(case: Case) -> bool:
    """Whether the best indexes are of a kind that every advisor here could suggest."""
    return not any("USING" in one or "WHERE" in one or one.count("(") > 1 for one in case.best)


def fill(place: Place, dataset: str, *, hypopg: bool) -> None:
    """A dataset in an empty database."""
    with psycopg.connect(**place, autocommit=True) as connection:
        if hypopg:
            connection.execute("CREATE EXTENSION hypopg")
        for statement in DATASETS[dataset].SCHEMA.split(";\n"):
            connection.execute(statement.encode())
        # Most rows are looked at, so that one run's statistics are like the next one's.
        connection.execute("SET default_statistics_target = 200")
        connection.execute("VACUUM ANALYZE")


def measure(server: Place, *, hypopg: bool) -> dict[str, Tally]:
    """Every case by every method."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for dataset in DATASETS:
        with postgresql.scratch(server, f"advice_{os.getpid()}") as place:
            fill(place, dataset, hypopg=hypopg)
            with psycopg.connect(**place, autocommit=True) as connection:
                ways = methods(place, connection, hypopg=hypopg)
                for case in (one for one in CASES if one.dataset == dataset):
                    with built(connection, [f"CREATE INDEX ON {one}" for one in case.best]):
                        best = cost(connection, case)
                    for name, way in ways.items():
                        judge(connection, case, way(case), best, tallies[name])
                    _predictions(place, connection, case, tallies, hypopg=hypopg)
    return dict(tallies)


def _predictions(
    place: Place, connection: Connection, case: Case, tallies: dict[str, Tally], *, hypopg: bool
) -> None:
    """How far the cost that was promised is from the one that comes."""
    name, verify = ("verified", "hypopg") if hypopg else ("estimated", "none")
    found = [one for one in ours(place, case, verify) if one.gains]
    if not found or len(case.queries) > 1:
        return
    promised = min(one.gains[0].after for one in found)
    with built(connection, [one.index.unnamed for one in found]):
        came = cost(connection, case)
    near = abs(promised - came) <= max(1.0, CLOSE * came)
    tallies[name].predicted.append(float(near))
