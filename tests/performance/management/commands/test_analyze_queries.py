from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from performance.management.commands.analyze_queries import period
from performance.models import IndexSuggestion
from performance.queries.analysis import selection

TABLE = """
CREATE TABLE command_test AS SELECT n AS id, n % 500 AS owner, 'canary' || n AS name FROM generate_series(1, 20000) n
"""


@pytest.fixture
def asked(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A table without an index, and a statement on it that pg_stat_statements has counted."""
    monkeypatch.setattr(selection, "QUICK", 0.0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        cursor.execute("SELECT pg_stat_statements_reset()")
        cursor.execute(TABLE)
        cursor.execute("ANALYZE command_test")
        for owner in range(30):
            cursor.execute(
                "SELECT * FROM command_test WHERE owner = %s AND name <> 'canary'", [owner]
            )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE command_test")
        cursor.execute("DROP EXTENSION pg_stat_statements")


def report(**options: Any) -> str:
    out = StringIO()
    call_command("analyze_queries", stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["text", "json", "html", "markdown"])
def test_every_form_names_the_index_and_no_value(asked: None, form: str) -> None:
    shown = report(format=form)

    assert "command_test (owner)" in shown
    assert "canary" not in shown


def test_json_has_the_evidence(asked: None) -> None:
    found = json.loads(report(format="json"))

    (suggestion,) = [one for one in found["suggestions"] if one["table"] == "command_test"]
    assert suggestion["ratio"] < 0.5
    assert suggestion["gains"][0]["calls"] == 30
    assert suggestion["plan_before"]["kind"] == "Seq Scan"
    assert "AddIndexConcurrently" in suggestion["migration"] or "RunSQL" in suggestion["migration"]
    statement = next(one for one in found["statements"] if "command_test" in one["sql"])
    assert (statement["calls"], statement["rows_read"]) == (30, 600_000)


def test_the_gate_decides_the_exit_status(asked: None) -> None:
    with pytest.raises(SystemExit) as caught:
        report(fail_on="warning")
    assert caught.value.code == 1


def test_what_is_found_is_kept_where_asked_for(asked: None) -> None:
    report()
    assert not IndexSuggestion.objects.exists()

    report(save=True)
    assert IndexSuggestion.objects.filter(table="command_test").exists()


def test_one_app_alone(asked: None) -> None:
    assert "command_test" not in report(app="performance", format="json")


def test_an_app_that_is_none(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="nothing"):
        report(app="nothing")


def test_without_pg_stat_statements_it_says_how_to_enable_it(transactional_db: None) -> None:
    assert "shared_preload_libraries" in report()


def test_what_cannot_be_analysed_is_status_two() -> None:
    with pytest.raises(CommandError) as caught:
        report(database="nowhere")
    assert caught.value.returncode == 2


def test_colours_only_where_asked_for(asked: None) -> None:
    assert "\x1b[" not in report()
    assert "\x1b[" in report(force_color=True)


@pytest.mark.parametrize(
    ("text", "expected"), [("90m", timedelta(minutes=90)), ("7d", timedelta(days=7))]
)
def test_periods(text: str, expected: timedelta) -> None:
    assert period(text) == expected


@pytest.mark.parametrize("text", ["", "1", "d", "0h", "-1h", "1w", "999999d"])
def test_periods_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        period(text)
