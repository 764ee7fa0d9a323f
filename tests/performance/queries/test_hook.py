from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, connections, transaction

from performance.queries import call_sites, hook, scope

pytestmark = pytest.mark.django_db


def test_statements_are_counted_in_the_scope_and_not_outside() -> None:
    Group.objects.count()
    with scope.open(kind="test") as seen:
        Group.objects.create(name="one")
        list(Group.objects.all())
        list(Group.objects.all())
    Group.objects.count()

    assert seen.count == 3
    assert seen.repeats == 1
    assert seen.seconds > 0


def test_a_connection_has_the_hook_once_and_first() -> None:
    hook.install(connection)
    hook.install(connection)
    with connection.execute_wrapper(lambda execute, *call: execute(*call)):
        hook.install(connection)

    assert connection.execute_wrappers == [hook._hook_of("default")]


def test_a_connection_made_inside_of_another_wrapper_keeps_the_hook() -> None:
    connection.execute_wrappers.clear()
    with connection.execute_wrapper(lambda execute, *call: execute(*call)):
        hook.install(connection)

    assert connection.execute_wrappers == [hook._hook_of("default")]


def test_the_tests_are_in_their_own_database() -> None:
    """A pool that is made too early leads to the other one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (name,) = cursor.fetchone()

    assert name == connection.settings_dict["NAME"]


def test_rows_are_those_of_the_statement() -> None:
    Group.objects.bulk_create([Group(name=str(number)) for number in range(5)])
    with scope.open(kind="test") as seen:
        list(Group.objects.all())
        Group.objects.filter(name="1").delete()

    assert sum(statement.rows for statement in seen.statements.values()) >= 5 + 1


def test_executemany_counts_each_of_its_statements() -> None:
    sql = "INSERT INTO auth_group (name) VALUES (%s)"
    with scope.open(kind="test") as seen, connection.cursor() as cursor:
        cursor.executemany(sql, [("a",), ("b",)])
        cursor.executemany(sql, ((name,) for name in "cde"))

    assert seen.count == 5
    assert Group.objects.count() == 5


def test_a_failing_statement_is_counted_with_the_class_of_its_error() -> None:
    with scope.open(kind="test") as seen, pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute("SELECT nothing FROM nowhere")

    failed = seen.statements["SELECT nothing FROM nowhere"]
    assert failed.errors == {"ProgrammingError": 1}
    assert failed.count == 1


def test_sql_in_other_forms_is_taken_as_text() -> None:
    from psycopg import sql

    with scope.open(kind="test") as seen, connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {}").format(sql.Literal(1)))
        cursor.execute(b"SELECT 2")

    assert set(seen.statements) == {"SELECT 1", "SELECT 2"}


def test_other_connections_are_kept_apart() -> None:
    other = connections.create_connection("default")
    other.connect()
    other.alias = "other"
    other.execute_wrappers.clear()
    hook.install(other)
    try:
        with scope.open(kind="test") as seen:
            other.cursor().execute("SELECT 1")
            connection.cursor().execute("SELECT 1")
    finally:
        other.close()

    assert [statement.alias for statement in seen.statements.values()] == ["other", "default"]


def test_what_comes_after_an_inner_scope_belongs_to_the_outer_one() -> None:
    with scope.open(kind="test") as outer:
        with scope.open(kind="test") as inner:
            context = copy_context()
        context.run(Group.objects.count)
    context.run(Group.objects.count)

    assert (outer.count, inner.count) == (1, 0)


def added_calls(work: Callable[[], Any]) -> int:
    """How many function calls the hook adds to `work`, C functions included."""
    with_hook, hooks = _calls(work), list(connection.execute_wrappers)
    connection.execute_wrappers.clear()
    try:
        return with_hook - _calls(work)
    finally:
        connection.execute_wrappers.extend(hooks)


def _calls(work: Callable[[], Any]) -> int:
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    gc.disable()  # whose callbacks (hypothesis has one) are calls too
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


@pytest.fixture
def statements() -> Callable[[int, int], int]:
    """Calls added a statement: of `texts` different statements, each run `times`."""

    def cost(texts: int, times: int) -> int:
        def work() -> None:
            with connection.cursor() as cursor:
                for _ in range(times):
                    for number in range(texts):
                        cursor.execute(f"SELECT {number}")

        def measured() -> int:
            for _ in range(2):  # the first learns the code on the stack, the counting's own too
                with scope.open(kind="test") as seen:
                    seen.slow = 10**12
                    seen.room = 10**6
                    added = added_calls(work)
            return added

        # structlog goes through all context variables, and pytest's plugins have some of their own.
        return Context().run(measured) // (texts * times)

    return cost


def test_a_statement_costs_ten_calls_at_most(
    statements: Callable[[int, int], int],
) -> None:
    assert statements(5, 1) <= 10
    assert statements(1, 100) <= 10
    assert statements(5, 10) <= 10


def test_the_stack_is_read_without_hashing_code() -> None:
    """Which goes through all instructions of each function on the way."""
    call_sites._kinds.clear()
    assert call_sites.key() is not None
    call_sites.here()

    assert {type(key) for key in call_sites._kinds} == {tuple}


def test_what_is_known_of_code_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_sites, "MOST_CODES", 3)
    call_sites._kinds.clear()
    for _ in range(3):
        call_sites.here()

    assert len(call_sites._kinds) <= 3


def test_outside_of_a_scope_it_costs_three() -> None:
    def work() -> None:
        with connection.cursor() as cursor:
            for _ in range(100):
                cursor.execute("SELECT 1")

    assert added_calls(work) // 100 <= 3
