"""Levels, workers, jobs and levers as staff see them; the report of queue_stats."""

from __future__ import annotations

import io
import json
import os
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.tasks import TaskResultStatus
from django.utils import timezone

from performance.queues import Level, inspection, job_lists, levers
from tests.performance.queues.conftest import Workers, eventually, history, run_waiting_tasks, use
from tests.performance.queues.jobs import tasks


def state(level: Level) -> inspection.LevelState:
    return next(found for found in inspection.levels() if found.level == level)


def test_an_empty_server(server: Any) -> None:
    assert [found.level for found in inspection.levels()] == list(Level)
    assert state(Level.LOW).oldest is None
    assert inspection.workers() == []
    assert inspection.schedules() == []


def test_what_waits_is_scheduled_and_failed(server: Any) -> None:
    tasks.fail.enqueue("no")
    run_waiting_tasks()
    waiting = tasks.add.enqueue(1, 2)
    tasks.add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(1, 2)
    normal = state(Level.NORMAL)
    assert (normal.waiting, normal.scheduled, normal.failed) == (1, 1, 1)
    assert normal.oldest == pytest.approx(0, abs=5)
    (job,) = job_lists.jobs(Level.NORMAL, "queued")
    assert (job.id, job.task, job.status) == (waiting.id, tasks.add.module_path, "queued")
    (failed,) = job_lists.jobs(Level.NORMAL, "failed")
    assert failed.error == "builtins.ValueError"  # its message may quote what was typed
    (scheduled,) = job_lists.jobs(Level.NORMAL, "scheduled")
    assert scheduled.run_at is not None


def test_a_running_worker(server: Any, workers: Workers) -> None:
    result = tasks.sleep.enqueue(30)
    workers.begin(concurrency=7)
    worker = eventually(lambda: [w for w in inspection.workers() if w.in_flight])[0]
    assert (worker.pid, worker.concurrency, worker.state) == (os.getpid(), 7, "busy")
    assert worker.memory > 10_000_000
    assert [job.id for job in job_lists.jobs(Level.NORMAL, "started")] == [result.id]


def test_a_paused_level_waits(server: Any) -> None:
    tasks.effect.enqueue("paused")
    tasks.critical.enqueue()
    levers.pause(Level.NORMAL)
    run_waiting_tasks()
    assert history(server) == ["critical"]
    assert state(Level.NORMAL).paused
    levers.resume(Level.NORMAL)
    run_waiting_tasks()
    assert history(server) == ["critical", "paused"]


def test_emptying_a_level_cancels_its_jobs(server: Any) -> None:
    results = [tasks.effect.enqueue(str(n)) for n in range(5)]
    assert levers.empty(Level.NORMAL) == 5
    run_waiting_tasks()
    assert history(server) == []
    results[0].refresh()
    assert results[0].status == TaskResultStatus.FAILED


def test_a_failed_task_may_be_tried_again(server: Any) -> None:
    result = tasks.fail.enqueue("no")
    assert not levers.retry(result.id)
    run_waiting_tasks()
    assert levers.retry(result.id)
    assert not levers.retry(result.id)
    result.refresh()
    assert result.status == TaskResultStatus.READY
    assert levers.retry_failed(Level.NORMAL) == 0
    run_waiting_tasks()
    tasks.fail.using(priority=-100).enqueue("another level")
    run_waiting_tasks()
    assert levers.retry_failed(Level.NORMAL) == 1
    assert server.lrange("rq:queue:normal", 0, -1) == [result.id.encode()]
    assert server.zcard("rq:failed:low") == 1


def report() -> dict[str, Any]:
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("queue_stats", format="json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.django_db(transaction=True)
def test_queue_stats_says_what_is_wrong(server: Any) -> None:
    tasks.add.enqueue(1, 2)
    found = report()
    assert found["problems"] == ["No worker runs."]
    assert found["levels"][3]["waiting"] == 1


@pytest.mark.django_db
def test_queue_stats_as_text(server: Any, workers: Workers) -> None:
    workers.begin()
    eventually(inspection.workers)
    out = io.StringIO()
    call_command("queue_stats", stdout=out)
    assert "critical" in out.getvalue()
    assert "workers: 1" in out.getvalue()


def test_queue_stats_without_redis(settings: Any) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    with pytest.raises(CommandError, match="Redis does not answer") as raised:
        call_command("queue_stats")
    assert raised.value.returncode == 2


@pytest.mark.django_db
def test_queue_stats_without_the_rows_still_tells_of_the_queues(server: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE performance_taskrun RENAME TO elsewhere")
    found = report()
    assert len(found["levels"]) == 5
    assert "run manage.py migrate" in found["problems"][-1]


@pytest.mark.parametrize("minutes", ["0", "-1", "43201", "1.5", "²", "9" * 40])
def test_queue_stats_refuses_a_period_that_is_none(minutes: str) -> None:
    with pytest.raises(CommandError, match="not a whole number from 1 to 43200"):
        call_command("queue_stats", f"--minutes={minutes}")
