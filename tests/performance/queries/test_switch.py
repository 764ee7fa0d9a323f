"""What staff turn off while tasks and commands run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand

from performance import conf
from performance.queries import ended, scope, task_scopes
from performance.queries.scope import Scope

Logged = Callable[[], list[Scope]]
OFF = frozenset({"queries.enabled"})

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_again() -> Iterator[None]:
    yield
    conf.turn_off(frozenset())


class Long(BaseCommand):
    """Is emptied while it runs, and turns the log on if it was off."""

    def handle(self, *args: object, **options: object) -> None:
        Group.objects.count()
        ended.empty(at_once=True)
        seen = scope.current()
        assert seen is not None
        assert seen.statements == {}
        conf.turn_off(frozenset())
        Group.objects.exists()
        ended.empty(at_once=True)


def test_a_command_that_goes_on_is_logged_from_when_the_log_is_on(logged: Logged) -> None:
    conf.turn_off(OFF)
    call_command(Long())

    assert [seen.count for seen in logged()] == [1]
    assert not ended._followed


def test_a_task_has_no_scope_while_the_log_is_off(logged: Logged) -> None:
    conf.turn_off(OFF)
    run = SimpleNamespace(id="1", task=SimpleNamespace(module_path="tasks.one"))
    task_scopes._started(task_result=run)
    Group.objects.count()
    assert scope.current() is None
    task_scopes._finished(task_result=run)

    assert logged() == []


def test_a_task_of_a_request_is_in_the_request(logged: Logged) -> None:
    run = SimpleNamespace(id="1", task=SimpleNamespace(module_path="tasks.one"))
    with scope.open(kind="request", name="view"):
        task_scopes._started(task_result=run)
        Group.objects.count()
        ended.empty(at_once=True)
        task_scopes._finished(task_result=run)

    assert [(seen.kind, seen.count) for seen in logged()] == [("request", 1)]
