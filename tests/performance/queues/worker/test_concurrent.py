"""What a running worker does with its jobs: many at once, stopped, timed out, limited, in order."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import Any

import pytest
from django.tasks import TaskResultStatus
from django.tasks.base import TaskError
from rq import Queue, Worker
from rq.command import send_stop_job_command
from rq.job import Job
from rq.serializers import JSONSerializer

from performance.queues import cancel, conf, enqueue_many
from performance.queues.worker import ConcurrentWorker
from tests.performance.queues.conftest import Workers, eventually, history, run_waiting_tasks
from tests.performance.queues.jobs import tasks


def status_of(result: Any) -> TaskResultStatus:
    result.refresh()
    return result.status


def error_of(result: Any) -> TaskError:
    """The only error of a task that failed."""
    assert status_of(result) == TaskResultStatus.FAILED
    (error,) = result.errors
    return error


def is_running(result: Any) -> bool:
    return status_of(result) == TaskResultStatus.RUNNING


def is_over(result: Any) -> bool:
    result.refresh()
    return result.is_finished


def test_a_thousand_coroutines_wait_at_once(
    server: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tasks.Gate()
    monkeypatch.setattr(tasks, "gate", gate)
    results = enqueue_many(tasks.effect_behind_a_gate, [((str(n),), {}) for n in range(1000)])
    workers.begin(concurrency=1000)
    try:
        eventually(lambda: len(gate.held) == 1000)
    finally:
        gate.is_open = True
    eventually(lambda: server.zcard("rq:finished:normal") == 1000)
    assert len(history(server)) == 1000
    started = sorted(server.hget(f"rq:job:{result.id}", "started_at") for result in results)
    ended = sorted(server.hget(f"rq:job:{result.id}", "ended_at") for result in results)
    assert started[-1] < ended[0]


def test_sync_tasks_run_beside_each_other(server: Any, workers: Workers) -> None:
    results = [tasks.spin.enqueue(0.5) for _ in range(8)]
    workers.begin()
    eventually(lambda: server.zcard("rq:wip:normal") == 8)
    eventually(lambda: all(is_over(result) for result in results))


def test_isolated_tasks_run_in_children(server: Any, workers: Workers) -> None:
    # One worker for all: it takes seconds until its first child is there.
    own, failing, dying = (
        tasks.pid.enqueue(),
        tasks.fail_isolated.enqueue(),
        tasks.die_isolated.enqueue(),
    )
    half, late, other = (
        tasks.raise_half_a_character.enqueue(),
        tasks.overrun_in_child.enqueue(),
        tasks.add.enqueue(1, 2),
    )
    worker = workers.start("--burst")
    assert worker.wait(timeout=60) == 0
    assert status_of(own) == TaskResultStatus.SUCCESSFUL
    assert own.return_value != worker.pid
    assert error_of(failing).exception_class is LookupError
    assert "in the child" in error_of(failing).traceback
    assert error_of(half).exception_class is ValueError
    assert error_of(dying).exception_class_path.endswith("ChildDied")
    assert error_of(late).exception_class_path.endswith("TaskTimeout")
    assert status_of(other) == TaskResultStatus.SUCCESSFUL


@pytest.mark.parametrize("name", ["overrun", "overrun_in_thread"])
def test_a_timeout_ends_the_task(server: Any, workers: Workers, name: str) -> None:
    result = getattr(tasks, name).enqueue()
    workers.begin()
    eventually(lambda: is_over(result))
    assert result.errors[0].exception_class_path.endswith("TaskTimeout")


@pytest.mark.parametrize("name", ["sleep", "spin", "spin_isolated"])
def test_cancelling_a_running_task(server: Any, workers: Workers, name: str) -> None:
    result = getattr(tasks, name).enqueue(60)
    workers.start() if "isolated" in name else workers.begin()
    eventually(lambda: is_running(result))
    time.sleep(0.3)
    started = time.monotonic()
    assert cancel(result.id) == "stopping"
    eventually(lambda: is_over(result))
    took = time.monotonic() - started
    assert took < 5
    assert status_of(result) == TaskResultStatus.FAILED
    assert result.errors[0].exception_class_path.endswith("TaskCancelled")
    assert cancel(result.id) == "stopped"


def test_a_cancelled_coroutine_may_tidy_up_within_200_ms(server: Any, workers: Workers) -> None:
    workers.begin()
    took = []
    # A busy machine may hold up one of them.
    while len(took) < 10 and not (took and min(took) < 0.2):
        server.delete("history")
        result = tasks.sleep.enqueue(60)
        eventually(lambda result=result: is_running(result))
        time.sleep(0.2)
        started = time.monotonic()
        cancel(result.id)
        eventually(lambda: history(server) == ["cancelled cancelled"])
        took.append(time.monotonic() - started)
    assert min(took) < 0.2


def test_cancelling_a_waiting_task(server: Any) -> None:
    result = tasks.effect.enqueue("never")
    assert cancel(result.id) == "canceled"
    run_waiting_tasks()
    assert history(server) == []
    assert status_of(result) == TaskResultStatus.FAILED
    assert cancel(result.id) == "canceled"
    assert cancel("nonsense") == "missing"


def test_rq_own_stop_command_works(server: Any, workers: Workers) -> None:
    result = tasks.sleep.enqueue(60)
    workers.begin()
    eventually(lambda: is_running(result))
    send_stop_job_command(server, result.id, serializer=JSONSerializer)
    eventually(lambda: is_over(result))
    job = Job.fetch(result.id, connection=server, serializer=JSONSerializer)
    # RQ itself counts a stop that it did not order as cancelled all the same.
    assert job.get_status() == "stopped"


def test_retries_until_it_succeeds(server: Any, workers: Workers) -> None:
    result = tasks.fail_twice.enqueue()
    workers.begin()
    eventually(lambda: is_over(result))
    assert result.return_value == 3
    assert result.attempts == 3
    assert [error.exception_class for error in result.errors] == [ValueError, ValueError]


def test_an_exception_that_is_not_worth_it_is_not_retried(server: Any) -> None:
    result = tasks.fail_for_good.enqueue()
    run_waiting_tasks()
    assert status_of(result) == TaskResultStatus.FAILED
    assert result.attempts == 1


def test_best_level_first(server: Any) -> None:
    tasks.effect.using(priority=-100).enqueue("low")
    tasks.effect.enqueue("normal")
    tasks.effect.using(priority=100).enqueue("critical")
    one = conf.changed(conf.of_default_backend(), concurrency=1)
    ConcurrentWorker(["critical", "urgent", "high", "normal", "low"], conf=one).work(burst=True)
    assert history(server) == ["critical", "normal", "low"]


def test_an_overdue_level_is_served_under_load(server: Any, workers: Workers) -> None:
    workers.begin(concurrency=4, MAX_WAIT={"low": 0.5})
    low = [tasks.effect_later.using(priority=-100).enqueue(f"low{n}") for n in range(5)]
    until = time.monotonic() + 4
    # What is urgent never runs out before the last of the others is served.
    while not {f"low{n}" for n in range(5)} <= set(history(server)) and time.monotonic() < until:
        while server.llen("rq:queue:critical") < 50:
            tasks.effect_later.using(priority=100).enqueue("critical", 0.01)
        time.sleep(0.01)
    seen = history(server)
    assert {f"low{n}" for n in range(5)} <= set(seen)
    assert seen.count("critical") > seen.count("low0")
    eventually(lambda: all(is_over(result) for result in low))


def test_concurrency_limit_per_key(server: Any, workers: Workers) -> None:
    for _ in range(10):
        tasks.limited.enqueue(user="ann")
        tasks.limited.enqueue(user="bob", seconds=0.05)
    workers.begin()
    eventually(lambda: len(history(server)) == 40)
    running: Counter[str] = Counter()
    for entry in history(server):
        running[entry[1:]] += 1 if entry[0] == "+" else -1
        assert running[entry[1:]] <= 2
    eventually(lambda: not server.keys("rq:own:running:*"))


def test_rate_limit(server: Any, workers: Workers) -> None:
    for _ in range(8):
        tasks.rated.enqueue()
    workers.begin()
    eventually(lambda: len(history(server)) == 8)
    times = sorted(float(entry) for entry in history(server))
    assert times[-1] - times[0] >= 7 * 0.2 - 0.55


def test_sigterm_lets_running_jobs_finish(server: Any, workers: Workers) -> None:
    running = [tasks.effect_later.enqueue("soft", 1.0), tasks.spin.enqueue(1.0)]
    worker = workers.start("--concurrency", "2")
    eventually(lambda: all(is_running(result) for result in running))
    waiting = tasks.effect.enqueue("later")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=40) == 0
    assert sorted(history(server)) == ["soft", "spun"]
    assert status_of(waiting) == TaskResultStatus.READY
    assert Worker.all(connection=server) == []


def test_after_the_grace_time_jobs_are_handed_back(server: Any, workers: Workers) -> None:
    results = [tasks.sleep.enqueue(60), tasks.spin.enqueue(60)]
    worker = workers.start("--grace", "0.5")
    eventually(lambda: all(is_running(result) for result in results))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=40) == 0
    assert all(status_of(result) == TaskResultStatus.READY for result in results)
    assert server.llen("rq:queue:normal") == 2
    assert history(server) == ["cancelled preempted"]
    assert server.hget(f"rq:job:{results[0].id}", "deliveries") is None


def test_a_second_sigterm_hands_back_at_once(server: Any, workers: Workers) -> None:
    result = tasks.sleep.enqueue(60)
    worker = workers.start("--grace", "60")
    eventually(lambda: is_running(result))
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    started = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=40) == 0
    assert time.monotonic() - started < 20
    assert status_of(result) == TaskResultStatus.READY


def test_correlation_id_goes_along(server: Any) -> None:
    import structlog

    with structlog.contextvars.bound_contextvars(request_id="req-1", user="not this"):
        results = [tasks.log_context.enqueue(), tasks.log_context_later.enqueue()]
    run_waiting_tasks()
    for result in results:
        result.refresh()
        assert result.return_value == {"request_id": "req-1", "task_id": result.id}


def test_rq_finds_its_own_records(server: Any, workers: Workers) -> None:
    good, bad, running = tasks.add.enqueue(1, 2), tasks.fail.enqueue("no"), tasks.sleep.enqueue(60)
    workers.begin()
    eventually(lambda: is_running(running) and is_over(good) and is_over(bad))
    queue = Queue("normal", connection=server, serializer=JSONSerializer)
    assert queue.finished_job_registry.get_job_ids() == [good.id]
    assert queue.failed_job_registry.get_job_ids() == [bad.id]
    assert queue.started_job_registry.get_job_ids() == [running.id]
    assert Job.fetch(good.id, connection=server, serializer=JSONSerializer).return_value() == 3
    failed = Job.fetch(bad.id, connection=server, serializer=JSONSerializer).latest_result()
    assert failed is not None
    assert "ValueError: (its message is left out)" in (failed.exc_string or "")
    (worker,) = Worker.all(connection=server)
    eventually(lambda: worker.get_current_executions(refresh=True))
    worker.refresh()
    assert worker.get_current_job_id() == running.id
    assert (worker.successful_job_count, worker.failed_job_count) == (1, 1)
