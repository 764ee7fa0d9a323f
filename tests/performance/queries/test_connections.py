from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from pytest_django.fixtures import Settings

from chatsite.databases import postgresql
from chatsite.embedded import database_url
from chatsite.embedded.addresses import socket_dir
from performance import metrics
from performance.queries import scope
from performance.queries.connections import PoolStatistics
from performance.queries.findings import findings_of, groups_of
from performance.queries.scope import Scope
from tests.chatsite.embedded.holder import Holder

ALIAS = "throwaway"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """passes(ms): so much time has gone by; else it stands still, whatever the machine has to do."""
    now = [1_000_000_000]
    monkeypatch.setattr("performance.queries.connections.perf_counter_ns", lambda: now[0])

    def passes(milliseconds: float) -> None:
        now[0] += int(milliseconds * 1e6)

    return passes


def test_a_transaction_that_is_open_for_long_is_told_with_its_line(
    transactional_db: None, settings: Settings, passes: Callable[[float], None]
) -> None:
    settings.PERFORMANCE = settings.PERFORMANCE | {"QUERIES": {"LONG_TRANSACTION_MS": 5}}
    connection.close()
    with scope.open(kind="request", name="view") as seen:
        with transaction.atomic():
            passes(5)
            connection.cursor().execute("SELECT 1")
        with transaction.atomic():
            connection.cursor().execute("SELECT 1")
    connection.close()

    (found,) = [one for one in findings_of(seen, groups_of(seen)) if one.fingerprint is None]
    assert (found.kind, found.site and found.site.file) == (
        "long_transaction",
        "tests/performance/queries/test_connections.py",
    )
    assert found.seconds == 0.005


def test_a_transaction_ends_with_its_connection(
    transactional_db: None, settings: Settings, passes: Callable[[float], None]
) -> None:
    settings.PERFORMANCE = settings.PERFORMANCE | {"QUERIES": {"LONG_TRANSACTION_MS": 5}}
    connection.close()
    with scope.open(kind="request", name="view") as seen:
        with transaction.atomic():
            connection.cursor().execute("SELECT 1")
            connection.close()
        passes(6)
        connection.cursor().execute("SELECT 1")
    connection.close()

    assert seen.transactions == []


@pytest.fixture
def throwaway(django_db_blocker: Any) -> Iterator[Path]:
    """The data directory of a PostgreSQL to kill, which Django knows as ALIAS, with a pool of one."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o711)
        with Holder(place, "database"), django_db_blocker.unblock():
            config = postgresql(database_url(place), pool_size=1)
            connections.databases[ALIAS] = connections.configure_settings(
                {"default": connection.settings_dict, ALIAS: config}
            )[ALIAS]
            yield place
            connections[ALIAS].close()
            connections[ALIAS].close_pool()
            del connections.databases[ALIAS]
            del connections[ALIAS]
        shutil.rmtree(socket_dir(place), ignore_errors=True)


def ask() -> None:
    """As a request does: a connection from the pool and back."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")
    connections[ALIAS].close()


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, dict[str, Any]]]:
    """What was recorded, by name, value and labels."""
    found: list[tuple[str, float, dict[str, Any]]] = []

    def record(name: str, value: float = 1, **labels: Any) -> None:
        found.append((name, value, labels))

    for function in ("count", "observe", "gauge"):
        monkeypatch.setattr(metrics, function, record)
    return found


@pytest.mark.slow
def test_the_pool_is_measured_and_comes_back_after_a_restart(
    throwaway: Path, recorded: list[tuple[str, float, dict[str, Any]]]
) -> None:
    """Slow: a cluster of its own is made, killed and recovers."""
    statistics = PoolStatistics()
    ask()
    with scope.open(kind="request", name="view") as seen:
        _ask_while_another_holds_the_only_one()
    assert seen.waited > 50_000_000
    waits = [value for name, value, _ in recorded if name == "connection_wait_seconds"]
    assert max(waits) > 0.05

    pid = int((throwaway / "postgresql" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    _eventually(lambda: _answers(throwaway, pid))
    ask()

    statistics()
    states = {
        labels["state"]: value for name, value, labels in recorded if name == "pool_connections"
    }
    assert states == {"used": 0, "idle": 1, "waiting": 0, "max": 1}
    lost = [value for name, value, _ in recorded if name == "pool_connections_lost"]
    assert sum(lost) >= 1


def _ask_while_another_holds_the_only_one() -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        connections[ALIAS].ensure_connection()
        held.set()
        done.wait(5)
        connections[ALIAS].close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    threading.Timer(0.06, done.set).start()
    ask()
    holder.join()


def _answers(place: Path, before: int) -> bool:
    import psycopg

    try:
        psycopg.connect(database_url(place)).close()
        pid = int((place / "postgresql" / "postmaster.pid").read_text().splitlines()[0])
    except (psycopg.Error, OSError, ValueError, IndexError):
        return False
    return pid != before


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_scope_that_waited_for_long_is_told(db: None) -> None:
    seen = Scope("request", "view")
    seen.waited = 150_000_000
    (found,) = findings_of(seen, [])

    assert (found.kind, found.seconds) == ("connection_wait", 0.15)


def test_a_query_that_fails_for_want_of_a_connection_raises_its_own_error(db: None) -> None:
    with scope.open(kind="request") as seen, pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute("SELECT 1/0")

    (statement,) = [one for one in seen.statements.values() if one.errors]
    assert statement.errors == {"DataError": 1}
