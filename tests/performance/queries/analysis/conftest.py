"""Databases with something wrong in them: on PostgreSQL 18 (ours) and 15 (Debian's, with HypoPG)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.findings import Facts, Finding, kinds
from performance.queries.analysis.findings.base import finders
from performance.queries.analysis.statements import Statement
from performance.queries.analysis.verifiers import choose
from performance.queries.analysis.workload import prepare
from tests import postgresql

Place = dict[str, Any]


@pytest.fixture(scope="session")
def debian() -> Iterator[Place]:
    """Debian's PostgreSQL 15 with HypoPG."""
    why = postgresql.missing()
    if why:
        pytest.skip(why)
    with postgresql.debian() as place:
        yield place


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """An empty database on PostgreSQL 18, one for each module."""
    with postgresql.scratch(postgresql.embedded(), f"analysis_{os.getpid()}") as place:
        yield place


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def admin(place: Place, stack: ExitStack) -> psycopg.Connection[Any]:
    """A connection that may do anything; what it makes in `public` is gone after the test."""
    connection = stack.enter_context(psycopg.connect(**place, autocommit=True))
    connection.execute("DROP SCHEMA public CASCADE")
    connection.execute("CREATE SCHEMA public")
    return connection


@pytest.fixture
def database(place: Place, admin: object, stack: ExitStack) -> Database:
    return Database(stack.enter_context(psycopg.connect(**place)))


@pytest.fixture
def find(database: Database) -> Callable[..., list[Finding]]:
    """Runs the finder of one kind: find("unused_index", "SELECT ...", Statement(...))."""

    kinds()  # imports them

    def run(kind: str, *statements: Statement | str) -> list[Finding]:
        asked = [
            one if isinstance(one, Statement) else Statement(id=str(n), sql=one, seconds=1.0)
            for n, one in enumerate(statements)
        ]
        catalog = Catalog(database)
        workload = prepare(asked, database, catalog, choose(database, catalog, "none")[0])
        facts = Facts(database=database, catalog=catalog, statements=asked, asked=workload.asked)
        return list(finders[kind](facts))

    return run
