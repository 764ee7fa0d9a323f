"""Further sentences of Django's documentation on tasks (topics/tasks, ref/tasks), one by one."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.tasks import TaskResultStatus, default_task_backend, task, task_backends
from django.tasks.exceptions import InvalidTask, InvalidTaskBackend

from performance.queues.backend import RQBackend
from tests.performance.queues.conftest import history, run_waiting_tasks
from tests.performance.queues.jobs import tasks


def without_context() -> None:
    """A function that takes no context."""


def test_a_task_is_called_and_not_queued_by_call(server: Any) -> None:
    """`call()` and `acall()` run the function, whether it is a coroutine or not."""
    assert tasks.add.call(1, 2) == 3
    assert tasks.add_later.call(1, 2) == 3
    assert async_to_sync(tasks.add.acall)(1, 2) == 3
    assert async_to_sync(tasks.add_later.acall)(1, 2) == 3
    assert server.llen("rq:queue:normal") == 0


def test_a_task_knows_its_name_and_defaults() -> None:
    assert tasks.add.name == "add"
    assert tasks.add.module_path == "tests.performance.queues.jobs.tasks.add"
    assert (tasks.add.priority, tasks.add.queue_name, tasks.add.backend) == (
        0,
        "default",
        "default",
    )
    assert (tasks.add.run_after, tasks.add.takes_context) == (None, False)
    assert tasks.attempt.takes_context is True


def test_using_makes_another_task_and_leaves_the_first(server: Any) -> None:
    changed = tasks.add.using(priority=10, queue_name="low")
    assert (changed.priority, changed.queue_name) == (10, "low")
    assert (tasks.add.priority, tasks.add.queue_name) == (0, "default")
    with pytest.raises(FrozenInstanceError):
        tasks.add.priority = 1


def test_a_function_inside_another_is_no_task(server: Any) -> None:
    def inner() -> None: ...

    with pytest.raises(InvalidTask, match="module level"):
        task(inner)


def test_a_task_that_takes_the_context_must_have_an_argument_for_it(server: Any) -> None:
    with pytest.raises(InvalidTask, match="first argument of 'context'"):
        task(takes_context=True)(without_context)


@pytest.mark.parametrize("priority", [-101, 101, 1.5])
def test_a_priority_is_a_whole_number_from_minus_100_to_100(server: Any, priority: Any) -> None:
    with pytest.raises(InvalidTask, match="whole number between -100 and 100"):
        tasks.add.using(priority=priority)


def test_an_unknown_backend(server: Any) -> None:
    with pytest.raises(InvalidTaskBackend):
        tasks.add.using(backend="nosuch")


def test_the_backend_is_reached_by_its_alias(server: Any) -> None:
    assert isinstance(task_backends["default"], RQBackend)
    result = tasks.add.enqueue(1, 2)
    assert default_task_backend.get_result(result.id).id == result.id
    assert async_to_sync(default_task_backend.aget_result)(result.id).task == tasks.add


def test_statuses_one_after_another(server: Any) -> None:
    """READY until a worker begins, at the end SUCCESSFUL or FAILED; the value belongs to success."""
    good, bad = tasks.add.enqueue(1, 2), tasks.fail.enqueue("no")
    for result in (good, bad):
        assert (result.status, result.attempts) == (TaskResultStatus.READY, 0)
        assert (result.started_at, result.last_attempted_at, result.finished_at) == (None,) * 3
        assert (result.errors, result.worker_ids) == ([], [])
    run_waiting_tasks()
    good.refresh()
    async_to_sync(bad.arefresh)()
    assert (good.status, good.return_value) == (TaskResultStatus.SUCCESSFUL, 3)
    assert (bad.status, bad.is_finished) == (TaskResultStatus.FAILED, True)
    with pytest.raises(ValueError, match="Task failed"):
        _ = bad.return_value
    assert bad.errors[0].exception_class is ValueError
    assert len(good.worker_ids) == len(bad.worker_ids) == 1


@pytest.mark.django_db(transaction=True)
def test_on_commit_by_the_caller_is_enqueued_once(server: Any) -> None:
    """The documentation's way for backends that do not wait for the commit themselves."""
    with transaction.atomic():
        transaction.on_commit(partial(tasks.effect.enqueue, "committed"))
        assert server.llen("rq:queue:normal") == 0
    run_waiting_tasks()
    assert history(server) == ["committed"]
