"""The closed loop: suggested, decided, applied, and then: did it help?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from performance.models import (
    DatabaseFinding,
    IndexSuggestion,
    QueryFingerprint,
    QueryPlan,
    QueryStatistics,
)
from performance.queries.analysis import Options, Report, keep
from performance.queries.analysis.analysis import analysed
from performance.queries.analysis.database import opened
from performance.queries.analysis.keeping import judge_applied, look_for_applied
from performance.queries.analysis.statements import Statement

pytestmark = pytest.mark.django_db(transaction=True)
SQL = "SELECT * FROM kept_test WHERE owner = $1"
Status = IndexSuggestion.Status


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE kept_test AS SELECT n AS id, n % 2000 AS owner FROM generate_series(1, 20000) n"
        )
        cursor.execute("ANALYZE kept_test")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE kept_test")


def report(*statements: Statement) -> Report:
    with opened("default") as database:
        return analysed(database, list(statements), Options(verify="none"))


def suggested() -> IndexSuggestion:
    keep(report(Statement(id="77", sql=SQL, calls=100, seconds=1.0)), "default")
    found: IndexSuggestion = IndexSuggestion.objects.get(table="kept_test")
    return found


def test_a_suggestion_is_kept_once_and_decisions_stay() -> None:
    one = suggested()
    one.status, one.reason = Status.DISMISSED, "rare report"
    one.save()

    again = suggested()

    assert (again.pk, again.status, again.reason) == (one.pk, Status.DISMISSED, "rare report")
    assert again.definition == "public.kept_test (owner)"
    assert "AddIndex" in again.migration or "RunSQL" in again.migration


def test_findings_go_when_they_are_mended() -> None:
    suggested()
    assert DatabaseFinding.objects.filter(kind="missing_index", about="kept_test").exists()

    keep(report(), "default")

    assert not DatabaseFinding.objects.filter(kind="missing_index").exists()


def statistics(hours_ago: float, mean: float) -> None:
    now = timezone.now()
    row, _ = QueryFingerprint.objects.get_or_create(
        pk=77,
        defaults={
            "sql": SQL,
            "kind": "select",
            "alias": "default",
            "first_seen": now,
            "last_seen": now,
        },
    )
    QueryStatistics.objects.create(
        fingerprint=row,
        hour=now - timedelta(hours=hours_ago),
        calls=100,
        seconds=100 * mean,
        max_seconds=1,
        rows=1,
    )


def apply(one: IndexSuggestion) -> IndexSuggestion:
    with connection.cursor() as cursor:
        cursor.execute(one.sql.replace("CONCURRENTLY ", ""))
    assert look_for_applied("default") == 1
    one.refresh_from_db()
    return one


def test_an_index_that_is_not_there_is_not_applied() -> None:
    suggested()

    assert look_for_applied("default") == 0


@pytest.mark.parametrize(("after", "verdict"), [(0.001, Status.HELPED), (0.1, Status.DID_NOT_HELP)])
def test_the_verdict_is_measured(after: float, verdict: str) -> None:
    one = suggested()
    statistics(2, 0.1)
    one = apply(one)
    assert (one.status, one.mean_before) == (Status.APPLIED, pytest.approx(0.1))

    assert judge_applied("default") == 0  # too early
    IndexSuggestion.objects.update(applied_at=timezone.now() - timedelta(hours=30))
    QueryStatistics.objects.all().delete()
    statistics(3, after)

    assert judge_applied("default") == 1
    one.refresh_from_db()
    assert (one.status, one.mean_after) == (verdict, pytest.approx(after))


def test_few_calls_give_no_verdict() -> None:
    one = apply(suggested())
    IndexSuggestion.objects.update(applied_at=timezone.now() - timedelta(hours=30))

    assert judge_applied("default") == 0
    assert one.mean_before is None


def test_an_index_that_was_dropped_again_is_suggested_again() -> None:
    one = apply(suggested())
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {one.sql.split()[3]}")

    assert suggested().status == Status.PROPOSED


def test_values_are_never_kept() -> None:
    keep(
        report(
            Statement(
                id="1", sql="SELECT * FROM kept_test WHERE owner = 1234567", calls=9, seconds=1.0
            )
        ),
        "default",
    )

    rows: list[Any] = [*IndexSuggestion.objects.values(), *DatabaseFinding.objects.values()]
    assert rows
    assert "1234567" not in repr(rows)


def test_plans_of_known_statements_are_kept_and_replaced() -> None:
    statistics(hours_ago=1, mean=0.01)
    counted = Statement(id="77", sql=SQL, calls=100, seconds=1.0, queryid="-5")
    unknown = Statement(id="78", sql=SQL, calls=1, seconds=1.0)
    QueryPlan.objects.create(fingerprint_id=77, plan={"kind": "Old"}, made_at=timezone.now())

    keep(report(counted, unknown), "default")

    (kept,) = QueryPlan.objects.all()
    assert kept.plan["kind"] == "Seq Scan"
    assert kept.plan["on"] == "kept_test"
    assert QueryFingerprint.objects.get(pk=77).pg_queryid == -5
