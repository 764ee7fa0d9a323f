"""One bad job, receiver or part must not take the worker or other jobs along."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import structlog
from django.db import connection
from django.dispatch import Signal
from django.tasks import TaskResultStatus
from django.tasks.signals import task_finished, task_started
from rq import Queue

from performance.queues import cancel, conf, levers
from performance.queues.exceptions import UnknownTask
from performance.queues.levels import Level
from performance.queues.registry import resolve
from performance.queues.worker import ConcurrentWorker, telling
from performance.queues.worker.claims import Claims
from performance.queues.worker.dispatcher import Dispatcher
from performance.queues.worker.ends import Hooks
from performance.queues.worker.finisher import Finisher
from performance.queues.worker.heart import Heart
from performance.queues.worker.maintenance import clean
from tests.performance.queues.conftest import (
    FAST,
    LEVELS,
    Workers,
    eventually,
    history,
    run_waiting_tasks,
)
from tests.performance.queues.jobs import tasks


def is_over(result: Any) -> bool:
    result.refresh()
    return result.is_finished


def status_of(result: Any) -> TaskResultStatus:
    result.refresh()
    return result.status


def raise_for_add(task_result: Any, **_kwargs: Any) -> None:
    if task_result.task.module_path == tasks.add.module_path:
        raise RuntimeError("a receiver that is broken")


@pytest.fixture(params=[task_started, task_finished], ids=["started", "finished"])
def broken_signal(request: pytest.FixtureRequest) -> Iterator[Signal]:
    request.param.connect(raise_for_add)
    yield request.param
    request.param.disconnect(raise_for_add)


def test_a_receiver_that_raises_harms_no_task(
    server: Any, workers: Workers, broken_signal: Signal
) -> None:
    workers.begin()
    first = tasks.add.enqueue(1, 2)
    eventually(lambda: is_over(first), within=10)
    second = tasks.effect.enqueue("after")
    eventually(lambda: is_over(second), within=10)
    assert first.status == TaskResultStatus.SUCCESSFUL
    assert history(server) == ["after"]


@pytest.mark.parametrize("name", ["add", "add_later"])
def test_receivers_may_be_coroutines(server: Any, workers: Workers, name: str) -> None:
    heard: list[str] = []

    async def hear(task_result: Any, **_kwargs: Any) -> None:
        heard.append(task_result.status)

    for signal in (task_started, task_finished):
        signal.connect(hear)
    try:
        workers.begin()
        getattr(tasks, name).enqueue(1, 2)
        eventually(lambda: heard == ["RUNNING", "SUCCESSFUL"], within=10)
    finally:
        for signal in (task_started, task_finished):
            signal.disconnect(hear)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["add", "add_later"])
def test_receivers_may_use_the_database(server: Any, workers: Workers, name: str) -> None:
    heard: list[tuple[str, str, str]] = []

    def hear(task_result: Any, **_kwargs: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [str(task_result.status)])
            task_id = structlog.contextvars.get_contextvars().get("task_id", "")
            heard.append((cursor.fetchone()[0], task_result.id, task_id))

    for signal in (task_started, task_finished):
        signal.connect(hear)
    try:
        workers.begin()
        found = getattr(tasks, name).enqueue(1, 2)
        eventually(lambda: len(heard) == 2, within=10)
    finally:
        for signal in (task_started, task_finished):
            signal.disconnect(hear)
    assert [one[:2] for one in heard] == [("RUNNING", found.id), ("SUCCESSFUL", found.id)]
    assert heard[0][2] == found.id


def test_receivers_that_cannot_keep_up_cost_no_memory(
    server: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_WAITING", 1)
    heard: list[str] = []
    go_on = threading.Event()

    def hear(task_result: Any, **_kwargs: Any) -> None:
        go_on.wait(10)
        heard.append(task_result.id)

    task_finished.connect(hear)
    try:
        workers.begin()
        results = [tasks.add.enqueue(n, 2) for n in range(5)]
        eventually(lambda: all(is_over(result) for result in results), within=10)
    finally:
        go_on.set()
        task_finished.disconnect(hear)
    eventually(lambda: heard, within=10)
    assert len(heard) < 5


def test_a_worker_whose_part_ends_does_not_pretend_to_live(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def end(_self: Finisher) -> None:
        raise ArithmeticError("broken")

    monkeypatch.setattr(Finisher, "work", end)
    worker = ConcurrentWorker(LEVELS, conf=conf.read(FAST))
    with pytest.raises(RuntimeError, match="ended by itself") as raised:
        worker.work(logging_level="CRITICAL")
    assert isinstance(raised.value.__cause__, ArithmeticError)


def test_a_worker_that_ends_leaves_no_thread_that_listens(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsubscribe = redis.client.PubSub.unsubscribe

    def slowly(self: Any, *channels: Any) -> Any:
        answer = unsubscribe(self, *channels)
        time.sleep(0.1)  # in which the thread hears of it, and looks whether it is to go on
        return answer

    monkeypatch.setattr(redis.client.PubSub, "unsubscribe", slowly)
    worker = ConcurrentWorker(LEVELS, conf=conf.read(FAST))
    worker.work(burst=True, logging_level="ERROR")
    assert worker.pubsub_thread is not None
    assert not worker.pubsub_thread.is_alive()


@pytest.mark.parametrize(
    ("field", "value"),
    [("timeout", "abc"), ("attempts", "x"), ("data", b"xgarbage"), ("enqueued_at", "once")],
)
def test_a_damaged_job_fails_alone(server: Any, field: str, value: str | bytes) -> None:
    results = [tasks.effect.enqueue(str(n)) for n in range(6)]
    server.hset(f"rq:job:{results[2].id}", field, value)
    run_waiting_tasks()
    assert sorted(history(server)) == ["0", "1", "3", "4", "5"]
    assert server.hget(f"rq:job:{results[2].id}", "status") == b"failed"
    assert server.zcard("rq:wip:normal") == 0
    assert [entry.decode() for entry in server.zrange("rq:failed:normal", 0, -1)] == [results[2].id]


def test_a_job_that_is_damaged_while_it_runs_holds_up_no_other(
    server: Any, workers: Workers
) -> None:
    workers.begin()
    damaged = tasks.fail_soon.enqueue(0.5)
    eventually(lambda: server.zcard("rq:wip:normal"))
    server.hset(f"rq:job:{damaged.id}", "failures", "x")
    eventually(lambda: server.hget(f"rq:job:{damaged.id}", "status") == b"failed", within=10)
    after = tasks.effect.enqueue("after")
    eventually(lambda: is_over(after), within=10)


def test_emptying_passes_over_a_damaged_job(server: Any) -> None:
    results = [tasks.effect.using(priority=-100).enqueue(str(n)) for n in range(3)]
    server.set(f"rq:job:{results[0].id}", "no hash")
    assert levers.empty(Level.LOW) == 3
    assert {status_of(result) for result in results[1:]} == {TaskResultStatus.FAILED}


@pytest.mark.parametrize(("ttl", "kept"), [("-1", 1), ("0", 0)])
def test_how_long_an_error_is_kept(server: Any, ttl: str, kept: int) -> None:
    cancelled, failed = tasks.effect.enqueue("x"), tasks.fail.enqueue("y")
    for result in (cancelled, failed):
        server.hset(f"rq:job:{result.id}", "failure_ttl", ttl)
    cancel(cancelled.id)
    run_waiting_tasks()
    keys = [f"rq:job:{result.id}" for result in (cancelled, failed)]
    assert [server.exists(key) for key in keys] == [kept, kept]
    assert [server.ttl(key) for key in keys] == [-1 if kept else -2] * 2
    assert server.zcard("rq:failed:normal") == kept


def test_the_timeout_does_not_count_waiting_for_a_thread(server: Any, workers: Workers) -> None:
    results = [tasks.spin.enqueue(0.7) for _ in range(3)]
    for result in results:
        server.hset(f"rq:job:{result.id}", "timeout", "1.2")
    workers.begin(THREADS=1)
    eventually(lambda: all(is_over(result) for result in results), within=15)
    assert {result.status for result in results} == {TaskResultStatus.SUCCESSFUL}


def test_cancelling_works_when_its_message_is_lost(server: Any, workers: Workers) -> None:
    workers.begin()
    result = tasks.sleep.enqueue(60)
    eventually(lambda: status_of(result) == TaskResultStatus.RUNNING)
    server.hset(f"rq:job:{result.id}", "stop_requested", "1")
    eventually(lambda: is_over(result), within=10)
    assert result.errors[0].exception_class_path.endswith("TaskCancelled")


def test_after_an_outage_the_first_beat_reaps_nobody(server: redis.Redis) -> None:
    calls: list[str] = []

    class Recording(Heart):
        def beat(self) -> None:
            calls.append("beat")
            if len(calls) < 3:
                raise redis.ConnectionError

    options = conf.read({**FAST, "LEASE": 1.5})
    dispatcher = Dispatcher(
        "a", [], options, Hooks(ended=print, follow_up=print, parked=print), burst=False
    )
    heart = Recording(
        dispatcher,
        server,
        options,
        reregister=lambda: None,
        reap=lambda: calls.append("reap"),
    )
    heart.start()
    eventually(lambda: "reap" in calls, within=10)
    heart.stop()
    heart.join()
    assert calls[:5] == ["beat", "beat", "beat", "beat", "reap"]


def test_a_job_imports_nothing_but_tasks(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "performance.management.commands.queue_stats"
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(UnknownTask):
        resolve(f"{module}.Command")
    assert module not in sys.modules
    with pytest.raises(UnknownTask):
        resolve("performance.tasks..x.y")


def test_expired_cancelled_jobs_are_forgotten(server: Any) -> None:
    server.zadd("rq:canceled:low", {"old": time.time() - 5, "new": time.time() + 60})
    clean(Queue("low", connection=server))
    assert server.zrange("rq:canceled:low", 0, -1) == [b"new"]


def test_an_end_that_is_not_written_yet_is_no_orphan(
    server: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that fails meanwhile must not hand the job out again."""
    written, claimed = asyncio.Event(), []
    write, claim = Finisher._write, Claims.claim

    async def write_later(self: Finisher, batch: Any) -> None:
        await written.wait()
        await write(self, batch)

    async def fail_once_it_ran(self: Claims, slots: int) -> Any:
        if history(server) == ["once"] and not claimed:
            claimed.append(slots)
            raise redis.ConnectionError
        if claimed:
            written.set()
        return await claim(self, slots)

    monkeypatch.setattr(Finisher, "_write", write_later)
    monkeypatch.setattr(Claims, "claim", fail_once_it_ran)
    workers.begin()
    result = tasks.effect.enqueue("once")
    eventually(lambda: is_over(result), within=10)
    assert (history(server), result.attempts) == (["once"], 1)
