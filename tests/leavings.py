"""What a test leaves behind is told by its name, before another test fails for it once in many runs.

With LEAVINGS=fail in the environment it fails the test; else a section at the end of the run tells of it.

After each test, once its fixtures are gone: no statement is being watched, nothing is switched off; the
environment, the directory and the handlers of signals are as they were; its threads and its processes have ended, and its connections to PostgreSQL are back in the pool. After
the last test of a file these are as the pool made them. Fixtures of a module, a package or the session
may hold what they began for as long as they live.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.db import connections
from django.utils import timezone, translation
from psycopg_pool import ConnectionPool

from chatsite.postgresql import base as postgresql
from conversations.ai.openai import pace
from conversations.quotas import ledger
from performance import conf
from performance.queries import ended, scope
from tests.processes import runs

SECTION = "left behind"
PATIENCE = 5.0  # seconds for what was told to end and is about to
LONGEST_NAME = 63  # characters of an application's name that PostgreSQL keeps
FOR_GOOD = (
    *("AnyIO worker", "ThreadPoolExecutor-", "asyncio_", "pool-"),
    *("cache-refresh", "cache-stats", "cache-tracking", "task-receivers"),
    *("health_", "page", "stream-access"),
)
"""Beginnings of the names of threads that a process begins once and keeps."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OURS = {"PYTEST_CURRENT_TEST", "PGAPPNAME"}  # in the environment, of each test anew

# What a pooled connection keeps of the one who had it before.
KEPT = """
SELECT format('%s is %s', name, setting) FROM pg_settings
WHERE source = 'session' AND name NOT IN ('TimeZone', 'application_name')
UNION ALL SELECT 'an advisory lock is held' FROM pg_locks
WHERE locktype = 'advisory' AND pid = pg_backend_pid()
"""


class LeftBehind(AssertionError):
    """By the test that is named with it."""


def fails() -> bool:
    """Whether a run fails for it (LEAVINGS=fail), or only tells of it at its end."""
    return os.environ.get("LEAVINGS") == "fail"


class Leavings:
    """Compares a process after each test with what it was before."""

    def __init__(self) -> None:
        self._first_environment = _environment()
        self._directory = Path.cwd()
        self.keep()

    def begin(self, name: str) -> None:
        """Before a test, whose connections have its name.

        It begins as every request does: in the site's own language and time zone, with nothing bound
        to the log. It has no memory of a server that was away, and watches no thread's last statements.
        """
        os.environ["PGAPPNAME"] = name[-LONGEST_NAME:]
        timezone.deactivate()
        translation.deactivate()
        structlog.contextvars.clear_contextvars()
        ended._followed.clear()
        pace._away_until = ledger._away_until = 0.0
        postgresql._outages.clear()
        self.keep()

    def keep(self) -> None:
        """What there is now is no leaving of the test that runs."""
        self._threads = set(threading.enumerate())
        self._processes = _children()
        self._lent = set(lent.to_others())
        self._environment = _environment()
        self._handlers = _handlers()

    def found(self, *, last: bool = False) -> list[str]:
        """A line for each thing that is left; `last` looks into the pools, too.

        What can be taken back is, so that it is told once.
        """
        return [
            *_states(),
            *self._changed_environment(),
            *self._changed_handlers(),
            *self._changed_directory(),
            *self._waited(),
            *(_kept() if last else ()),
        ]

    def _changed_environment(self) -> list[str]:
        now, before, first = _environment(), self._environment, self._first_environment
        changed = {
            key
            for key in now.keys() | before.keys()
            if now.get(key) not in (before.get(key), first.get(key))
        }
        for key in changed:
            os.environ.pop(key, None)
            if key in before:
                os.environ[key] = before[key]
        return [f"os.environ[{key!r}] is {now.get(key)!r}" for key in sorted(changed)]

    def _changed_handlers(self) -> list[str]:
        changed = {one: now for one, now in _handlers().items() if now != self._handlers[one]}
        for one in changed:
            signal.signal(one, self._handlers[one])
        return [f"{one.name} is handled by {now!r}" for one, now in changed.items()]

    def _changed_directory(self) -> list[str]:
        now = Path.cwd()
        if now == self._directory:
            return []
        os.chdir(self._directory)
        return [f"the directory is {now}"]

    def _waited(self) -> list[str]:
        """What ends by itself in a moment has that moment."""
        until = time.monotonic() + PATIENCE
        while (left := self._running()) and time.monotonic() < until:
            time.sleep(0.01)
        return left

    def _running(self) -> list[str]:
        threads = [
            f"the thread {thread.name!r} runs"
            for thread in set(threading.enumerate()) - self._threads
            if not thread.name.startswith(FOR_GOOD)
        ]
        processes = [
            f"the process {_command(pid)!r} runs"
            for pid in _children() - self._processes
            if runs(pid)
        ]
        held = [
            f"the thread {name!r} has a connection of the pool"
            for one, name in lent.to_others().items()
            if one not in self._lent
        ]
        return [*threads, *processes, *held]


def _states() -> list[str]:
    """What is nothing between tests, and is nothing again afterwards."""
    states: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "statements are watched by": (scope.current, lambda: scope.enter(None)),
        "switched off are": (lambda: conf._turned_off, lambda: conf.turn_off(frozenset())),
    }
    left = []
    for words, (state, undo) in states.items():
        if now := state():
            left.append(f"{words} {now!r}")
            undo()
    return left


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in OURS}


def _handlers() -> dict[signal.Signals, Any]:
    return {one: signal.getsignal(one) for one in SIGNALS}


def _children() -> set[int]:
    """Processes that this one began, by whichever thread, and has not waited for."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found.update(map(int, (thread / "children").read_text().split()))
    return found


def _command(pid: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        return f"{pid} {words.decode(errors='replace')[:200]}".strip()
    return str(pid)


class Lent:
    """The connections that pools have given out, each with the thread that has it."""

    def __init__(self) -> None:
        self._threads: dict[Any, threading.Thread] = {}

    def watch(self) -> None:
        """From now on."""
        take, give_back = ConnectionPool.getconn, ConnectionPool.putconn

        def getconn(pool: Any, timeout: float | None = None) -> Any:
            one = take(pool, timeout)
            self._threads[one] = threading.current_thread()
            return one

        def putconn(pool: Any, conn: Any) -> None:
            self._threads.pop(conn, None)
            give_back(pool, conn)

        ConnectionPool.getconn = getconn  # type: ignore[method-assign]
        ConnectionPool.putconn = putconn  # type: ignore[method-assign]

    def to_others(self) -> dict[Any, str]:
        """The names of the threads that have one, but for this thread's own."""
        own = [one.connection for one in connections.all(initialized_only=True)]
        return {one: by.name for one, by in list(self._threads.items()) if one not in own}


lent = Lent()


def _kept() -> list[str]:
    """What the connections have kept that go from hand to hand; such are closed, and so replaced."""
    connections.close_all()
    left = []
    for pool in connections["default"]._connection_pools.values():  # type: ignore[attr-defined]
        taken = [pool.getconn() for _ in range(pool.get_stats()["pool_available"])]
        for one in taken:
            rows = one.execute(KEPT).fetchall()
            left += [f"of a connection {row[0]}, since a test of this file" for row in rows]
            if rows:
                one.close()
            pool.putconn(one)
    return left


class Plugin:
    """Registered by tests/conftest.py."""

    def __init__(self) -> None:
        lent.watch()
        self._leavings = Leavings()
        self._told: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        self._leavings.begin(item.nodeid)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        value = yield
        if fixturedef.scope != "function":
            self._leavings.keep()
        return value

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None]:
        yield
        last = nextitem is None or nextitem.path != item.path
        left = "; ".join(self._leavings.found(last=last))
        if left and fails():
            raise LeftBehind(f"{item.nodeid} left behind: {left}.")
        if left:
            item.user_properties.append((SECTION, left))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            told = [str(value) for name, value in report.user_properties if name == SECTION]
            self._told += [f"{report.nodeid}: {value}" for value in told]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._told:
            terminalreporter.section(SECTION)
            terminalreporter.write_line("\n".join(self._told))
