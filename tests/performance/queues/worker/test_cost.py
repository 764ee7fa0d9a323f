"""What a job costs in round trips: counted where the clients of this process send."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import redis.asyncio.connection
import redis.connection
from django.utils import timezone

from performance.queues import Level, enqueue_many, schedule, scripts
from performance.queues.clock import rq_time
from tests.performance.queues.conftest import Workers, eventually
from tests.performance.queues.jobs import tasks

BUSY = 3000
IDLE = 20
DEFERRED = 5000


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


def commands_of_a_tick(server: Any) -> dict[str, int]:
    """What the server does while a worker looks once for jobs that are due."""
    calls = {"levels": list(Level), "iso_now": rq_time(time.time()), "most": 1000}
    scripts.run(server, "move", msgspec.msgpack.encode(calls))
    server.config_resetstat()
    assert scripts.run(server, "move", msgspec.msgpack.encode(calls)) == 0
    stats = server.info("commandstats")
    return {name: row["calls"] for name, row in stats.items() if "info" not in name}


def test_deferred_tasks_cost_a_worker_nothing_until_they_are_due(server: Any) -> None:
    without = commands_of_a_tick(server)
    tomorrow = timezone.now() + timedelta(days=1)
    empty = server.info("memory")["used_memory"]
    enqueue_many(tasks.add.using(run_after=tomorrow), [((1, 2), {})] * DEFERRED)

    assert commands_of_a_tick(server) == without
    assert (server.info("memory")["used_memory"] - empty) / DEFERRED < 1500
    for level in Level:
        assert server.llen(f"rq:queue:{level}") == 0
    assert server.zcard("rq:scheduled:normal") == DEFERRED
