"""What a dead worker held: handed on, told, recorded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.tasks.signals import task_finished

from performance.models import TaskRun
from performance.queues import conf, connection
from performance.queues.levels import Level
from performance.queues.recorder import row_of, write
from performance.queues.signals import task_parked
from performance.queues.worker import ConcurrentWorker
from performance.queues.worker.claims import Claims
from performance.queues.worker.reaper import Reaper
from performance.queues.worker.run import Run
from performance.queues.worker.telling import tell_parked
from tests.performance.queues.conftest import FAST
from tests.performance.queues.jobs import tasks

ENDED: list[Run] = []
PARKED: list[Run] = []


@pytest.fixture
def reap(server: Any) -> Iterator[Callable[[], None]]:
    """Lets all leases end, then reaps."""
    reaper = Reaper(server, 3, ended=ENDED.append, parked=PARKED.append)

    def end_leases_and_reap() -> None:
        for level in Level:
            for entry in server.zrange(f"rq:wip:{level}", 0, -1):
                server.zadd(f"rq:wip:{level}", {entry: 1})
        reaper()

    yield end_leases_and_reap
    ENDED.clear()
    PARKED.clear()


def claim_as(worker: str) -> None:
    """A worker takes what waits and is never heard of again."""

    async def claim() -> None:
        client = connection.async_client()
        await Claims(worker, list(Level), conf.read(FAST), client).claim(10)
        await client.aclose()

    asyncio.run(claim())


@pytest.mark.django_db(transaction=True)
def test_an_attempt_that_died_is_a_row(server: Any, reap: Callable[[], None]) -> None:
    result = tasks.recorded.enqueue(user="ann", reply=7, secret="hidden")
    claim_as("first")
    reap()

    assert server.lrange("rq:queue:normal", 0, -1) == [result.id.encode()]
    write([row_of(run) for run in ENDED])
    row = TaskRun.objects.get()
    assert (row.task_id, row.task, row.worker) == (result.id, tasks.recorded.module_path, "first")
    assert (row.level, row.status, row.attempt, row.ran) == ("normal", "lost", 1, 0)
    assert row.error == "performance.queues.exceptions.WorkerLost"
    assert (row.who, row.about) == ("ann", "reply 7")
    assert row.started_at <= row.finished_at
    assert PARKED == []


def test_the_third_death_parks_it_and_says_so(server: Any, reap: Callable[[], None]) -> None:
    heard: list[Any] = []

    def hear(task_result: Any, **_kwargs: Any) -> None:
        heard.append((task_result.id, task_result.status, task_result.attempts))

    result = tasks.effect.enqueue("poison")
    task_finished.connect(hear)
    try:
        for worker in ("first", "second", "third"):
            claim_as(worker)
            reap()
    finally:
        task_finished.disconnect(hear)

    assert [(run.kind, run.attempt, run.worker) for run in ENDED] == [
        ("lost", 1, "first"),
        ("lost", 2, "second"),
        ("park", 3, "third"),
    ]
    assert [(run.id, run.deliveries) for run in PARKED] == [(result.id, 2)]
    assert heard == [(result.id, "FAILED", 3)]
    result.refresh()
    assert result.errors[-1].exception_class_path.endswith("TaskParked")


def test_a_lease_without_a_job_and_a_job_that_is_no_task(
    server: Any, reap: Callable[[], None]
) -> None:
    gone, foreign = tasks.effect.enqueue("gone"), tasks.effect.enqueue("foreign")
    claim_as("first")
    server.delete(f"rq:job:{gone.id}")
    server.hset(f"rq:job:{foreign.id}", "data", '["os.system",null,[],{}]')
    reap()

    assert [(run.id, run.name) for run in ENDED] == [(foreign.id, "unknown")]
    assert server.zcard("rq:wip:normal") == 0


@pytest.mark.django_db(transaction=True)
def test_receivers_of_parked_tasks_may_use_the_database_and_may_fail(server: Any) -> None:
    heard: list[Any] = []

    def broken(**_kwargs: Any) -> None:
        raise RuntimeError("broken")

    def hear(signal: Any, sender: Any, **arguments: Any) -> None:
        heard.append((sender, arguments, TaskRun.objects.count()))

    task_parked.connect(broken)
    task_parked.connect(hear)
    result = tasks.effect.enqueue("poison")
    claim_as("first")
    server.hset(f"rq:job:{result.id}", "deliveries", 2)
    server.zadd("rq:wip:normal", {server.zrange("rq:wip:normal", 0, -1)[0]: 1})
    try:
        Reaper(server, 3, ended=ENDED.append, parked=PARKED.append)()
        thread = threading.Thread(target=tell_parked, args=(ConcurrentWorker, PARKED[0]))
        thread.start()
        thread.join()
    finally:
        task_parked.disconnect(broken)
        task_parked.disconnect(hear)
        ENDED.clear()
        PARKED.clear()

    arguments = {
        "task": tasks.effect.module_path,
        "task_id": result.id,
        "level": "normal",
        "worker": "first",
        "deliveries": 3,
    }
    assert heard == [(ConcurrentWorker, arguments, 0)]


def test_a_blocked_job_whose_record_is_gone_holds_up_no_other(server: Any) -> None:
    results = [tasks.limited.enqueue(user="ann") for _ in range(4)]
    claim_as("first")
    server.delete(f"rq:job:{results[2].id}")
    # The ends of those that ran, which would have let the next one go, were lost.
    server.delete(f"rq:own:running:{tasks.limited.module_path}:ann", "rq:wip:normal")

    Reaper(server, 3, ended=ENDED.append, parked=PARKED.append)()

    assert server.lrange("rq:queue:normal", 0, -1) == [results[3].id.encode()]
