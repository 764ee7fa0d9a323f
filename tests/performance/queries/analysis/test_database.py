from __future__ import annotations

from typing import Any

import psycopg
import pytest

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database, opened
from performance.queries.analysis.exceptions import AnalysisError, NotPlanned


def test_nothing_can_be_written(database: Database, admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE TABLE t (a int)")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        database.rows("INSERT INTO t VALUES (1)")
    with pytest.raises(NotPlanned, match="25006"):
        database.explain("INSERT INTO t VALUES (1)", analyze=True)
    database.explain("DELETE FROM t")

    assert admin.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_held_lock_ends_the_wait(
    place: dict[str, Any], admin: psycopg.Connection[Any], database: Database
) -> None:
    admin.execute("CREATE TABLE t (a int)")
    with psycopg.connect(**place) as other:
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(NotPlanned, match="LockNotAvailable"):
            database.explain("SELECT * FROM t")


def test_reasons_do_not_quote_values(database: Database) -> None:
    with pytest.raises(NotPlanned) as caught:
        database.explain("SELECT 'canary'::int")

    assert "canary" not in str(caught.value)


def test_an_unknown_alias_is_named() -> None:
    with pytest.raises(AnalysisError, match="nowhere"), opened("nowhere"):
        pass


def test_a_locked_table_does_not_end_the_analysis(
    place: dict[str, Any], admin: psycopg.Connection[Any], database: Database
) -> None:
    admin.execute("CREATE TABLE t (a int PRIMARY KEY)")
    admin.execute("CREATE TABLE free (a int PRIMARY KEY)")
    with psycopg.connect(**place) as other:
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        catalog = Catalog(database)

    assert catalog.locked
    assert [table.name for table in catalog.tables] == ["free"]
