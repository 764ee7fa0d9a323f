from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from performance.queues.worker import threads as module
from performance.queues.worker.threads import Interrupted, Threads
from tests.performance.queues.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)

Ends = list[tuple[Any, BaseException | None]]


class Runner:
    """One thread for tasks, and a loop that hears of their ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.ends: Ends = []
        self.threads = Threads(1, lambda run: run.body(), self._ended, self.loop)

    def _ended(self, _run: Any, value: Any, error: BaseException | None) -> None:
        self.ends.append((value, error))

    def submit(self, body: Callable[[], Any]) -> Any:
        run = SimpleNamespace(body=body, thread=None)
        self.threads.submit(run, copy_context())  # type: ignore[arg-type]
        return run

    def wait(self, count: int) -> Ends:
        async def until_then() -> None:
            while len(self.ends) < count:
                await asyncio.sleep(0.005)

        self.loop.run_until_complete(asyncio.wait_for(until_then(), 30))
        return self.ends


@pytest.fixture
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.threads.close()
    runner.loop.close()


def in_use() -> int:
    found = connection.pool.get_stats()
    return int(found["pool_size"] - found["pool_available"])


def test_an_interruption_that_comes_as_a_task_ends_takes_nothing_with_it(runner: Runner) -> None:
    """Neither what it returned nor its connection to the database, which would be the pool's loss."""
    connection.close()
    before = in_use()
    go_on, is_there = threading.Event(), threading.Event()

    def body() -> int:
        Group.objects.count()
        is_there.set()
        go_on.wait()
        return 7

    run = runner.submit(body)
    is_there.wait()
    with runner.threads._lock:
        go_on.set()
        eventually(lambda: is_at_the_lock(run.thread))
        module._raise_in(run.thread, Interrupted)
    assert runner.wait(1) == [(7, None)]
    eventually(lambda: in_use() <= before)


def is_at_the_lock(ident: int) -> bool:
    """Twice in a row: it waits there."""
    seen = set()
    for _ in range(2):
        frame = sys._current_frames()[ident]
        seen.add((frame.f_code.co_name, frame.f_lasti))
        time.sleep(0.05)
    return len(seen) == 1 and seen.pop()[0] in {"_let_go", "_guarded"}


@pytest.mark.parametrize("caught", [False, True])
def test_a_task_that_is_broken_off_leaves_no_transaction_to_the_next(
    runner: Runner, caught: bool
) -> None:
    connection.close()
    before = in_use()
    is_there = threading.Event()

    def spin() -> None:
        Group.objects.count()
        connection.in_atomic_block = True  # as in the middle of atomic's own code
        is_there.set()
        try:
            while True:
                time.sleep(0.001)
        except Exception:
            if not caught:
                raise

    run = runner.submit(spin)
    is_there.wait()
    assert runner.threads.interrupt(run)
    ((_, error),) = runner.wait(1)
    assert caught or isinstance(error, Interrupted)
    runner.submit(lambda: (connection.in_atomic_block, Group.objects.count()))
    assert runner.wait(2)[1] == ((False, 0), None)
    eventually(lambda: in_use() <= before)
