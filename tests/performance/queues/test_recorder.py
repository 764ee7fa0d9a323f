"""Rows of task runs, statistics over them, progress."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from performance import tasks as own_tasks
from performance.models import TaskRun
from performance.queues import progress_of, recorder, report_progress, statistics
from tests.performance.queues.conftest import Workers, eventually, run_waiting_tasks
from tests.performance.queues.jobs import tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def recording(set_options: Any) -> None:
    set_options(RECORD_RUNS=True)


def test_a_run_becomes_a_row_without_its_arguments(server: Any) -> None:
    result = tasks.recorded.enqueue(user="ann", reply=7, secret="hidden")
    run_waiting_tasks()
    run = TaskRun.objects.get()
    assert (run.task_id, run.task) == (result.id, tasks.recorded.module_path)
    assert (run.level, run.status, run.attempt, run.error) == ("normal", "successful", 1, "")
    assert (run.who, run.about, run.arguments) == ("ann", "reply 7", {"reply": 7})
    assert 0 <= run.waited < 10
    assert 0 <= run.ran < 1
    assert run.worker
    assert "hidden" not in str(TaskRun.objects.values().get())


def test_failures_and_unknown_tasks_are_rows_too(server: Any) -> None:
    tasks.fail.enqueue("no\x00thing")
    tasks.add.enqueue(1, 2)
    server.hset(f"rq:job:{tasks.add.enqueue(1, 2).id}", "data", '["os.system",null,[],{}]')
    run_waiting_tasks()
    rows = list(TaskRun.objects.order_by("task").values_list("task", "status", "error"))
    assert (tasks.fail.module_path, "failed", "builtins.ValueError") in rows
    assert ("unknown", "failed", "performance.queues.exceptions.UnknownTask") in rows
    assert len(rows) == 3


def test_statistics(server: Any) -> None:
    for _ in range(20):
        tasks.add.enqueue(1, 2)
    tasks.fail.enqueue("no")
    run_waiting_tasks()
    adding, failing = statistics.by_task()
    assert (adding.task, adding.runs, adding.failures) == (tasks.add.module_path, 20, 0)
    assert (failing.runs, failing.failures) == (1, 1)
    assert 0 <= adding.ran_p50 <= adding.ran_p95 <= adding.ran_p99
    assert adding.per_minute == pytest.approx(20 / 60)


def test_old_rows_are_pruned(server: Any) -> None:
    tasks.add.enqueue(1, 2)
    run_waiting_tasks()
    TaskRun.objects.update(finished_at=timezone.now() - timedelta(days=15))
    assert own_tasks.prune_task_runs.call() == 1
    assert not TaskRun.objects.exists()


def test_progress_is_told_from_inside_and_read_from_outside(server: Any, workers: Workers) -> None:
    result = tasks.reporting.enqueue()
    assert progress_of(result.id) is None
    workers.begin()
    seen = eventually(lambda: progress_of(result.id))
    assert (seen.done, seen.total, seen.note) == (3, 4, "nearly")


def test_progress_outside_a_task_is_nothing(server: Any) -> None:
    report_progress(1)
    assert server.dbsize() == 0


def test_nul_is_left_out_and_a_bad_row_is_dropped_alone(server: Any) -> None:
    tasks.recorded.enqueue(user="a\x00b", reply="x\x00y\\u0000", secret="s")
    bad = tasks.add.enqueue(1, 2)
    server.hset(f"rq:job:{bad.id}", "enqueued_at", "once")
    tasks.add.enqueue(1, 2)
    run_waiting_tasks()
    assert TaskRun.objects.count() == 2
    run = TaskRun.objects.get(task=tasks.recorded.module_path)
    assert (run.who, run.arguments) == ("ab", {"reply": "xy\\u0000"})


def test_a_row_that_the_database_refuses_is_dropped_alone() -> None:
    now = timezone.now()

    def row(task_id: str, level: str) -> tuple[Any, ...]:
        return (
            *(task_id, "t", level, "successful", 0.0, 0.0, 1, "", "w", "", "", "", None),
            *(now, now),
        )

    recorder.write_sound([row("good", "low"), row("bad", "x" * 500)])
    assert [run.task_id for run in TaskRun.objects.all()] == ["good"]
