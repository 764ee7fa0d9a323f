from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone

from performance.metrics import sketch
from performance.models import CallSite, QueryFingerprint, QuerySample, QueryStatistics
from performance.queries.analysis.recorded import from_log, merged
from performance.queries.analysis.statements import Statement
from performance.queries.fingerprint import fingerprint

pytestmark = pytest.mark.django_db
SQL = 'SELECT "t"."id" FROM "t" WHERE "t"."owner" = ?'
DAY = timedelta(days=1)


def logged(
    seconds: float, calls: int = 10, *, hours_ago: int = 1, sql: str = SQL
) -> QueryFingerprint:
    now = timezone.now()
    number = fingerprint(sql).id
    row, _ = QueryFingerprint.objects.get_or_create(
        pk=number,
        defaults={
            "sql": sql,
            "kind": "select",
            "alias": "default",
            "first_seen": now,
            "last_seen": now,
        },
    )
    QueryStatistics.objects.create(
        fingerprint=row, hour=now - timedelta(hours=hours_ago), calls=calls, seconds=seconds,
        max_seconds=seconds / 2, rows=calls, sketch=msgspec.msgpack.encode({sketch.key_of(seconds / calls): calls}),
    )  # fmt: skip
    return row


def read() -> list[Statement]:
    return from_log("default", DAY, min_calls=1, most=10)


def test_hours_are_added_up() -> None:
    logged(1.0)
    logged(3.0, hours_ago=2)

    (found,) = read()

    assert (found.calls, found.seconds, found.rows) == (20, 4.0, 20)
    assert found.p95 == pytest.approx(0.3, rel=0.03)


def test_the_trend_is_against_the_period_before() -> None:
    logged(4.0)
    logged(1.0, hours_ago=30)

    (found,) = read()

    assert found.trend == pytest.approx(4.0)


def test_callers_and_repetitions() -> None:
    row, now = logged(1.0), timezone.now()
    for name, seconds in (("cheap", 0.1), ("dear", 0.9)):
        CallSite.objects.create(
            fingerprint=row, scope_kind="request", scope_name=name, file="views.py", line=7, calls=1,
            seconds=seconds, first_seen=now, last_seen=now,
        )  # fmt: skip
    QuerySample.objects.create(
        fingerprint=row,
        finding="n_plus_one",
        scope_kind="request",
        scope_name="dear",
        seconds=0.5,
        repeats=50,
        at=now,
    )

    (found,) = read()

    assert found.callers == ("dear (views.py:7)", "cheap (views.py:7)")
    assert found.repeats == 50


def test_ignored_statements_are_left_out() -> None:
    row = logged(1.0)
    row.status = QueryFingerprint.Status.IGNORED
    row.save()

    assert read() == []


def test_both_sources_are_one_statement() -> None:
    logged(4.0)
    counted = Statement(
        id=str(fingerprint('SELECT "t"."id" FROM "t" WHERE "t"."owner" = $1').id),
        sql='SELECT "t"."id" FROM "t" WHERE "t"."owner" = $1', calls=99, seconds=9.0, hit=5,
    )  # fmt: skip

    (found,) = merged([counted], read())

    assert (found.calls, found.hit, found.source) == (99, 5, "both")
    assert found.p95


def test_the_same_statement_under_two_numbers_is_added_up() -> None:
    twins = [Statement(id="7", sql="SELECT 1", calls=2, seconds=1.0) for _ in range(2)]

    (found,) = merged(twins, [])

    assert (found.calls, found.seconds) == (4, 2.0)


def test_one_query_for_each_kind_of_row(django_assert_num_queries: object) -> None:
    for number in range(5):
        logged(1.0, sql=f"SELECT {'a' * (number + 1)} FROM t")

    with django_assert_num_queries(5):  # type: ignore[operator]
        assert len(read()) == 5
