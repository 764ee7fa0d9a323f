"""What no test may leave behind is found: each of these has made another test fail once in many runs."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import structlog
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone, translation

from performance import conf
from performance.queries import ended, scope
from performance.queries.scope import Scope
from tests import leavings, postgresql
from tests.dropping import destroy_test_db
from tests.leavings import Leavings, LeftBehind


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Leavings:
    monkeypatch.setattr(leavings, "PATIENCE", 0.05)
    return Leavings()


def test_a_test_that_leaves_nothing(left: Leavings) -> None:
    assert left.found(last=True) == []


def test_the_environment(left: Leavings, monkeypatch: pytest.MonkeyPatch) -> None:
    home = os.environ["HOME"]
    monkeypatch.setenv("LEFT", "1")
    monkeypatch.delenv("HOME")
    assert left.found() == ["os.environ['HOME'] is None", "os.environ['LEFT'] is '1'"]
    assert (os.environ["HOME"], "LEFT" in os.environ) == (home, False)


def test_the_directory_and_the_handlers(left: Leavings, tmp_path: Path) -> None:
    here, usual = Path.cwd(), signal.getsignal(signal.SIGHUP)
    os.chdir(tmp_path)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    found = left.found()
    assert len(found) == 2
    assert found[0].startswith("SIGHUP is handled by ")
    assert found[1] == f"the directory is {tmp_path}"
    assert (Path.cwd(), signal.getsignal(signal.SIGHUP)) == (here, usual)


def test_what_watches_statements(left: Leavings) -> None:
    scope.enter(Scope("request", "view"))
    (watched,) = left.found()
    assert watched.startswith("statements are watched by ")
    assert left.found() == []


def test_switches(left: Leavings) -> None:
    conf.turn_off(frozenset({"cache.enabled"}))
    assert left.found() == ["switched off are frozenset({'cache.enabled'})"]
    assert conf.current().cache.enabled
    assert left.found() == []


def test_a_thread_and_a_process_that_run(left: Leavings) -> None:
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait, name="left")
    thread.start()
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            assert sorted(left.found()) == [
                f"the process '{process.pid} sleep 60' runs",
                "the thread 'left' runs",
            ]
        finally:
            process.kill()
            go_on.set()
            thread.join()
    assert left.found() == []


def test_what_is_about_to_end_may_do_so() -> None:
    left = Leavings()
    threading.Thread(target=time.sleep, args=[0.1]).start()
    assert left.found() == []


def test_a_connection_that_another_thread_holds(left: Leavings, transactional_db: None) -> None:
    has_connected, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        connection.ensure_connection()
        has_connected.set()
        go_on.wait()
        connection.close()

    thread = threading.Thread(target=hold, name="pool-user")  # as if it were one of those for good
    thread.start()
    has_connected.wait()
    assert left.found() == ["the thread 'pool-user' has a connection of the pool"]
    go_on.set()
    thread.join()
    assert left.found() == []


def test_what_a_connection_takes_into_the_pool(left: Leavings, transactional_db: None) -> None:
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '2s'")
        cursor.execute("SELECT pg_advisory_lock(7)")
    connection.close()
    assert sorted(left.found(last=True)) == [
        "of a connection an advisory lock is held, since a test of this file",
        "of a connection statement_timeout is 2000, since a test of this file",
    ]
    assert left.found(last=True) == []


def test_a_test_begins_as_a_request_does(left: Leavings) -> None:
    timezone.activate("Asia/Tokyo")
    translation.activate("de")
    structlog.contextvars.bind_contextvars(user=3)
    ended.follow(Scope("task", "one"))
    left.begin("test_one")
    assert structlog.contextvars.get_contextvars() == {}
    assert not ended._followed
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE
    assert translation.get_language() == settings.LANGUAGE_CODE
    assert os.environ["PGAPPNAME"] == "test_one"


@pytest.fixture
def database(transactional_db: None) -> Iterator[str]:
    name = f"{connection.settings_dict['NAME']}_left"
    with postgresql.scratch(postgresql.embedded(), name):
        yield name


def test_a_session_that_is_left_at_the_end(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.dropping.PATIENCE", 0.05)
    monkeypatch.setenv("LEAVINGS", "fail")
    other = connections.create_connection("default")
    other.alias = "left"  # whose pool is nobody's
    place = postgresql.embedded() | {"dbname": database}
    with closing(psycopg.connect(**place, application_name="test_one")) as session:
        session.execute("SELECT 'left'")
        with pytest.raises(LeftBehind, match=r"test_one.*SELECT 'left'"):
            destroy_test_db(other.creation, database, 0)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(**place)
