from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction
from pytest_django.fixtures import Settings

from performance.queries import hook, scope
from performance.queries.findings import findings_of, groups_of
from performance.queries.scope import Scope

pytestmark = pytest.mark.django_db

ASK = "SELECT name FROM auth_group WHERE id = %s"


def kinds(seen: Scope) -> list[str]:
    return [found.kind for found in findings_of(seen, groups_of(seen))]


def execute(sql: str, params: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_a_statement_that_is_slow_when_it_fails_is_slow(settings: Settings) -> None:
    settings.PERFORMANCE = settings.PERFORMANCE | {"QUERIES": {"SLOW_MS": 200, "SAMPLE_RATE": 0}}
    sql = "SELECT pg_sleep(%s), (pg_sleep(0)::text || %s)::int"
    with scope.open(kind="request") as seen:
        execute(sql, [0, "1"])
        with suppress(DatabaseError), transaction.atomic():
            execute(sql, [0.25, "x"])

    (found,) = findings_of(seen, groups_of(seen))
    assert (found.kind, found.site and found.site.function) == ("slow", "execute")
    assert found.seconds >= 0.25


def test_executemany_is_slow_though_its_first_call_was_not(settings: Settings) -> None:
    settings.PERFORMANCE = settings.PERFORMANCE | {"QUERIES": {"SLOW_MS": 20, "SAMPLE_RATE": 0}}
    with scope.open(kind="request") as seen, connection.cursor() as cursor:
        cursor.executemany("SELECT pg_sleep(%s)", [(0,)])
        cursor.executemany("SELECT pg_sleep(%s)", [(0.03,)])

    assert kinds(seen) == ["slow"]


def test_the_values_of_a_failed_run_make_no_loop_of_its_retries() -> None:
    with scope.open(kind="request") as seen, connection.cursor() as cursor:
        hook._keep_failed(seen, "default", ASK, 10**8, DatabaseError(), {"cursor": cursor})
        for _ in range(4):
            execute(ASK, [1])

    assert "duplicate" in kinds(seen)
    assert "n_plus_one" not in kinds(seen)


@pytest.mark.parametrize(
    "write",
    [
        lambda: execute("\n  UPDATE auth_group SET name = 'x' WHERE id = 0"),
        lambda: execute(
            "WITH old AS (SELECT 0 AS id) DELETE FROM auth_group USING old WHERE auth_group.id = old.id"
        ),
        lambda: connection.cursor().executemany("DELETE FROM auth_group WHERE id = %s", [(0,)]),
        lambda: Group.objects.filter(id=0).update(name="x"),
    ],
)
def test_what_is_read_again_after_a_write_is_no_duplicate(write: Any) -> None:
    with scope.open(kind="request") as seen:
        for _ in range(4):
            execute(ASK, [1])
            write()

    assert "duplicate" not in kinds(seen)
