"""What Django's documentation says of a task backend, sentence by sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.tasks import TaskResultStatus, default_task_backend, task_backends
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch
from django.tasks.signals import task_enqueued, task_finished, task_started
from django.utils import timezone

from performance.queues import EnqueueFailed, Level, connection
from tests.performance.queues.conftest import history, run_waiting_tasks, use
from tests.performance.queues.jobs import tasks


def test_enqueue_returns_a_ready_result_with_an_id_at_once(server: Any) -> None:
    result = tasks.add.enqueue(1, b=2)
    assert result.status == TaskResultStatus.READY
    assert result.id
    assert (result.args, result.kwargs) == ([1], {"b": 2})
    assert result.enqueued_at is not None
    assert not result.is_finished
    with pytest.raises(ValueError, match="not finished"):
        _ = result.return_value


def test_a_worker_runs_it_and_refresh_shows_the_value(server: Any) -> None:
    result = tasks.add.enqueue(1, 2)
    run_waiting_tasks()
    result.refresh()
    assert result.status == TaskResultStatus.SUCCESSFUL
    assert result.return_value == 3
    assert result.attempts == 1
    assert result.enqueued_at <= result.started_at <= result.finished_at
    assert result.last_attempted_at == result.started_at
    assert result.is_finished


def test_coroutines_run_too(server: Any) -> None:
    result = tasks.add_later.enqueue(20, 22)
    run_waiting_tasks()
    assert tasks.add_later.get_result(result.id).return_value == 42


def test_the_asynchronous_interface(server: Any) -> None:
    async def use_it() -> TaskResultStatus:
        result = await tasks.add.aenqueue(1, 2)
        found = await tasks.add.aget_result(result.id)
        await found.arefresh()
        return found.status

    assert async_to_sync(use_it)() == TaskResultStatus.READY


def test_an_error_is_kept_with_its_traceback(server: Any) -> None:
    result = tasks.fail.enqueue("so it is")
    run_waiting_tasks()
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    assert result.errors[0].exception_class is ValueError
    assert "so it is" not in result.errors[0].traceback  # it may quote what was typed
    assert "jobs/tasks.py" in result.errors[0].traceback
    with pytest.raises(ValueError, match="failed"):
        _ = result.return_value


def test_a_value_that_is_not_json_fails_the_task(server: Any) -> None:
    result = tasks.unfit.enqueue()
    run_waiting_tasks()
    result.refresh()
    assert result.errors[0].exception_class is TypeError


@pytest.mark.parametrize("value", [None, 0, "", [], {"a": [1, None, 2.5]}, "\x00 ü 漢 😀"])
def test_arguments_and_values_survive_as_json_gives_them_back(server: Any, value: Any) -> None:
    result = tasks.keep.enqueue(value)
    run_waiting_tasks()
    result.refresh()
    assert result.return_value == value
    assert result.args == [value]


def test_arguments_that_are_not_json_are_refused(server: Any) -> None:
    with pytest.raises(TypeError):
        tasks.keep.enqueue(object())
    assert server.dbsize() == 0


def test_long_arguments_are_stored_compressed(server: Any) -> None:
    result = tasks.keep.enqueue("x" * 100_000)
    assert server.hstrlen(f"rq:job:{result.id}", "data") < 1000
    assert tasks.keep.get_result(result.id).args == ["x" * 100_000]


def test_the_context_tells_attempt_and_result(server: Any) -> None:
    result = tasks.attempt.enqueue()
    run_waiting_tasks()
    result.refresh()
    assert result.return_value == [1, result.id]


def test_a_result_that_is_not_there(server: Any) -> None:
    with pytest.raises(TaskResultDoesNotExist):
        default_task_backend.get_result("nonsense")


def test_a_result_of_another_task(server: Any) -> None:
    result = tasks.add.enqueue(1, 2)
    with pytest.raises(TaskResultMismatch):
        tasks.keep.get_result(result.id)


@pytest.mark.parametrize(
    ("priority", "level"),
    [(100, "critical"), (50, "urgent"), (1, "high"), (0, "normal"), (-1, "low"), (-100, "low")],
)
def test_priority_chooses_the_level(server: Any, priority: int, level: str) -> None:
    result = tasks.add.using(priority=priority).enqueue(1, 2)
    assert server.lrange(f"rq:queue:{level}", 0, -1) == [result.id.encode()]
    assert tasks.add.get_result(result.id).task.priority == priority


def test_a_queue_name_chooses_the_level(server: Any) -> None:
    result = tasks.add.using(queue_name=Level.URGENT, priority=-100).enqueue(1, 2)
    assert server.lrange("rq:queue:urgent", 0, -1) == [result.id.encode()]


def test_an_unknown_queue_is_refused(server: Any) -> None:
    with pytest.raises(InvalidTask):
        tasks.add.using(queue_name="nowhere")


def test_run_after_waits_and_then_runs(server: Any) -> None:
    later = timezone.now() + timedelta(hours=1)
    result = tasks.add.using(run_after=later).enqueue(1, 2)
    run_waiting_tasks()
    found = tasks.add.get_result(result.id)
    assert found.status == TaskResultStatus.READY
    assert found.task.run_after == later
    assert server.zscore("rq:scheduled:normal", result.id) == pytest.approx(later.timestamp())


def test_a_naive_run_after_is_refused(server: Any) -> None:
    with pytest.raises(InvalidTask):
        tasks.add.using(run_after=datetime(2030, 1, 1))  # noqa: DTZ001
    tasks.add.using(run_after=datetime(2030, 1, 1, tzinfo=UTC))


def test_the_flags_promise_everything() -> None:
    backend = task_backends["default"]
    assert backend.supports_defer
    assert backend.supports_async_task
    assert backend.supports_get_result
    assert backend.supports_priority


def test_the_three_signals(server: Any) -> None:
    heard: list[tuple[str, str, str]] = []

    def listener(name: str) -> Any:
        def hear(task_result: Any, **_kwargs: Any) -> None:
            heard.append((name, task_result.id, task_result.status.value))

        return hear

    names = {"enqueued": task_enqueued, "started": task_started, "finished": task_finished}
    listeners = {name: listener(name) for name in names}
    for name, signal in names.items():
        signal.connect(listeners[name])
    try:
        good, bad = tasks.add.enqueue(1, 2).id, tasks.fail.enqueue("no").id
        run_waiting_tasks()
    finally:
        for name, signal in names.items():
            signal.disconnect(listeners[name])
    assert [entry for entry in heard if entry[1] == good] == [
        ("enqueued", good, "READY"),
        ("started", good, "RUNNING"),
        ("finished", good, "SUCCESSFUL"),
    ]
    assert [entry[2] for entry in heard if entry[1] == bad] == ["READY", "RUNNING", "FAILED"]


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_it_is_enqueued_on_commit(server: Any) -> None:
    with transaction.atomic():
        result = tasks.add.enqueue(1, 2)
        assert result.id
        assert result.enqueued_at is None
        assert server.llen("rq:queue:normal") == 0
    assert server.lrange("rq:queue:normal", 0, -1) == [result.id.encode()]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_enqueues_nothing(server: Any) -> None:
    with transaction.atomic():
        tasks.add.enqueue(1, 2)
        transaction.set_rollback(True)
    assert server.dbsize() == 0


def test_enqueue_many_takes_one_round_trip(server: Any) -> None:
    backend: Any = task_backends["default"]
    tasks.add.enqueue(0, 0)
    server.config_resetstat()
    results = backend.enqueue_many(tasks.add, [((n, n), {}) for n in range(100)])
    assert server.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
    assert server.lrange("rq:queue:normal", 1, -1) == [r.id.encode() for r in results]


def test_without_redis_enqueue_says_so(settings: Any) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    with pytest.raises(EnqueueFailed):
        tasks.add.enqueue(1, 2)


@pytest.mark.django_db(transaction=True)
def test_without_redis_a_commit_of_a_durable_task_goes_on(settings: Any) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    with transaction.atomic():
        result = tasks.durable_for_caller.enqueue()
    assert result.enqueued_at is None


def test_the_client_is_one_per_process(server: Any) -> None:
    assert connection.client() is connection.client()


def test_expired_tasks_do_not_run(server: Any) -> None:
    result = tasks.perishable.enqueue()
    server.hset(f"rq:job:{result.id}", "expires_at", "1")
    run_waiting_tasks()
    result.refresh()
    assert result.errors[0].exception_class_path.endswith("TaskExpired")
    assert history(server) == []
