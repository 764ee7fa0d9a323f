"""`--database`: one that is not this project's, that only reads, by a role that may little."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from performance.queries.analysis import catalog, selection

pytestmark = pytest.mark.django_db
Admin = psycopg.Connection[Any]
Alias = Callable[[str], None]


@pytest.fixture
def other(place: dict[str, Any], admin: Admin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alias]:
    """Makes the alias "other" of another database, whose sessions begin with the given options."""
    monkeypatch.setattr(selection, "QUICK", 0.0)
    admin.execute("CREATE EXTENSION pg_stat_statements")
    admin.execute(
        "CREATE TABLE t AS SELECT n AS id, n % 500 AS owner FROM generate_series(1, 20000) n"
    )
    admin.execute("ANALYZE t")
    admin.execute("SELECT pg_stat_statements_reset()")
    for owner in range(30):
        admin.execute("SELECT * FROM t WHERE owner = %s", (owner,), prepare=False)

    def make(options: str) -> None:
        connections.settings["other"] = {
            **connections.settings["default"], "HOST": place["host"], "PORT": place["port"],
            "USER": place["user"], "PASSWORD": place["password"] or "", "NAME": place["dbname"],
            "OPTIONS": {"options": options},
        }  # fmt: skip

    yield make
    del connections.settings["other"]
    if hasattr(connections._connections, "other"):
        del connections["other"]


def report(**options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("analyze_queries", database="other", format="json", stdout=out, **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize("analyze", [False, True])
def test_a_session_that_only_reads(other: Alias, place: dict[str, Any], analyze: bool) -> None:
    other("-c default_transaction_read_only=on")

    found = report(analyze=analyze)

    assert found["database"] == place["dbname"]
    assert [one["table"] for one in found["suggestions"]] == ["t"]


def test_a_role_that_may_little_learns_what_it_lacks(other: Alias, admin: Admin) -> None:
    admin.execute("CREATE ROLE analysis_guest")
    admin.execute("GRANT analysis_guest TO CURRENT_USER")
    try:
        other("-c role=analysis_guest")
        found = report()
    finally:
        admin.execute("DROP OWNED BY analysis_guest")
        admin.execute("DROP ROLE analysis_guest")

    said = " ".join(found["notes"])
    assert "1 of 1 tables may not be read" in said
    assert "GRANT pg_read_all_stats" in said
    assert found["suggestions"] == []


def test_a_server_that_ends_the_analysis(other: Alias, monkeypatch: pytest.MonkeyPatch) -> None:
    other("")
    monkeypatch.setattr(catalog, "TABLES", "SELECT 1 / 0 -- {ours} {free}")

    with pytest.raises(CommandError, match=r"ended by the database: \w+") as caught:
        report()

    assert caught.value.returncode == 2
