"""What a job costs in round trips: counted where the clients of this process send."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import redis.asyncio.connection
import redis.connection

from performance.queues import enqueue_many, schedule
from tests.performance.queues.conftest import Workers, eventually
from tests.performance.queues.jobs import tasks

BUSY = 3000
IDLE = 20


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each kind of client sent; a pipeline is one."""
    found: Counter[str] = Counter()
    sync_send = redis.connection.AbstractConnection.send_packed_command
    async_send = redis.asyncio.connection.AbstractConnection.send_packed_command

    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        found["sync"] += 1
        return sync_send(self, *args, **kwargs)

    async def asend(self: Any, *args: Any, **kwargs: Any) -> Any:
        found["async"] += 1
        return await async_send(self, *args, **kwargs)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", send)
    monkeypatch.setattr(redis.asyncio.connection.AbstractConnection, "send_packed_command", asend)
    return found


@pytest.fixture(autouse=True)
def no_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the test's own jobs are counted."""
    monkeypatch.setattr(schedule, "scheduled_tasks", lambda: iter(()))


@pytest.mark.parametrize("name", ["add", "add_later"])
def test_a_busy_worker_takes_at_most_one_round_trip_for_twenty_jobs(
    server: Any, workers: Workers, sent: Counter[str], name: str
) -> None:
    enqueue_many(getattr(tasks, name), [((1, 2), {})] * BUSY)
    sent.clear()
    worker = workers.begin()
    eventually(lambda: worker.dispatcher and worker.dispatcher.ended == BUSY)
    assert sent.total() / BUSY <= 0.05, sent


def test_an_idle_worker_takes_three_for_a_job(
    server: Any, workers: Workers, sent: Counter[str]
) -> None:
    worker = workers.begin()
    eventually(lambda: worker.dispatcher and worker.dispatcher.attached)
    tasks.add_later.enqueue(0, 0)
    eventually(lambda: worker.dispatcher.ended == 1)
    sent.clear()
    for number in range(IDLE):
        tasks.add_later.enqueue(number, number)
        eventually(lambda number=number: worker.dispatcher.ended == number + 2)
    # What its heart sends twice a second goes by the clock, not by jobs.
    assert sent["async"] / IDLE <= 3, sent
