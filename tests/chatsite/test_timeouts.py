from __future__ import annotations

import runpy
from collections.abc import Iterator
from contextlib import nullcontext

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chatsite import timeouts
from chatsite.databases import postgresql
from chatsite.timeouts import Role, Timeouts
from tests.site import ROOT


@pytest.fixture(autouse=True)
def _a_command() -> Iterator[None]:
    yield
    timeouts.begin(Role.COMMAND)


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["manage.py"], Role.COMMAND),
        (["manage.py", "migrate"], Role.COMMAND),
        (["manage.py", "prune"], Role.COMMAND),
        (["manage.py", "analyze_queries", "worker"], Role.COMMAND),
        (["manage.py", "worker", "--concurrency", "5"], Role.WORKER),
        (["manage.py", "rqworker", "high"], Role.WORKER),
        (["manage.py", "runserver"], Role.WEB),
    ],
)
def test_who_waits_how_long(arguments: list[str], role: Role) -> None:
    assert timeouts.role_of(arguments) is role


@pytest.mark.parametrize(("command", "role"), [("worker", Role.WORKER), ("migrate", Role.COMMAND)])
def test_manage_py_says_it_before_the_settings_are_read(
    monkeypatch: pytest.MonkeyPatch, command: str, role: Role
) -> None:
    seen = []

    def execute(_arguments: list[str]) -> None:
        seen.append(timeouts._role)

    monkeypatch.setattr("sys.argv", ["manage.py", command])
    monkeypatch.setattr("django.core.management.execute_from_command_line", execute)
    monkeypatch.setattr("chatsite.embedded.servers_for", lambda _arguments: nullcontext())
    runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
    assert seen == [role]


def test_a_command_waits_for_ever() -> None:
    assert timeouts.current() == Timeouts()
    assert Timeouts().options == ""


def test_a_worker_has_more_patience_than_a_page() -> None:
    timeouts.begin(Role.WEB)
    web = timeouts.current()
    timeouts.begin(Role.WORKER)
    worker = timeouts.current()
    assert 0 < web.statement < worker.statement
    assert 0 < web.lock < worker.lock
    assert 0 < web.idle_in_transaction < worker.idle_in_transaction


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_STATEMENT_TIMEOUT", "7")
    monkeypatch.setenv("DATABASE_LOCK_TIMEOUT", "0")
    timeouts.begin(Role.WEB)
    assert timeouts.current() == Timeouts(statement=7, lock=0, idle_in_transaction=10)


def test_a_bad_value_is_refused_by_a_command_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_LOCK_TIMEOUT", "5s")
    with pytest.raises(ImproperlyConfigured, match=r"^WORKER_LOCK_TIMEOUT must be"):
        timeouts.current()


@pytest.mark.parametrize(
    ("query", "statement"), [("", "3s"), ("?options=-c%20statement_timeout%3D250", "250ms")]
)
def test_postgresql_takes_them_and_the_url_goes_before(query: str, statement: str) -> None:
    limits = Timeouts(statement=3, lock=2, idle_in_transaction=9)
    config = postgresql(f"{settings.DATABASE_URL}{query}", pool_size=1, timeouts=limits)
    with psycopg.connect(settings.DATABASE_URL, options=config["OPTIONS"]["options"]) as connection:
        shown = [
            connection.execute(f"SHOW {name}").fetchone()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]
    assert shown == [(statement,), ("2s",), ("9s",)]
