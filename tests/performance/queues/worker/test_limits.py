"""Restarts after so many jobs or above so much memory, and how soon an idle worker wakes."""

from __future__ import annotations

import os
import signal
import statistics
import time
from typing import Any

import pytest
from django.tasks import TaskResultStatus

from tests.performance.queues.conftest import Workers, eventually, history
from tests.performance.queues.jobs import tasks


def test_a_worker_ends_after_its_jobs_and_another_goes_on(server: Any, workers: Workers) -> None:
    results = [tasks.attempt.enqueue() for _ in range(7)]
    pool = workers.start("--max-jobs", "4")
    eventually(lambda: server.zcard("rq:finished:normal") == 7, within=60)
    names = {server.hget(f"rq:job:{result.id}", "worker_name") for result in results}
    assert len(names) >= 2  # what runs by schedule counts, too
    pool.terminate()
    assert pool.wait(timeout=40) == 0


def test_a_worker_above_its_memory_ends(
    server: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFORMANCE_POOL", "1")
    result = tasks.effect_later.enqueue("finished first", 0.5)
    worker = workers.start("--max-memory", "1")
    eventually(lambda: worker.poll() is not None)
    assert worker.returncode == 0
    result.refresh()
    assert result.status in {TaskResultStatus.SUCCESSFUL, TaskResultStatus.READY}


def test_a_pool_starts_again_what_dies(server: Any, workers: Workers) -> None:
    pool = workers.start("--processes", "1", "--max-jobs", "1000")
    first = eventually(lambda: server.smembers("rq:workers"))
    (key,) = first
    os.kill(int(server.hget(key, "pid")), signal.SIGKILL)
    eventually(lambda: server.smembers("rq:workers") - first)
    tasks.effect.enqueue("after")
    eventually(lambda: history(server) == ["after"])
    pool.terminate()
    assert pool.wait(timeout=40) == 0


def test_an_idle_worker_wakes_at_once(server: Any, workers: Workers) -> None:
    workers.begin()
    eventually(lambda: server.smembers("rq:workers"))
    time.sleep(1)
    delays = []
    for _ in range(10):
        time.sleep(0.05)
        started = time.monotonic()
        server.delete("history")
        tasks.effect_later.enqueue("x")
        eventually(lambda: server.llen("history") == 1)
        delays.append(time.monotonic() - started)
    # Looking twice a second alone would take a quarter of one.
    assert statistics.median(delays) < 0.1
