"""With the queues off tasks run where they are enqueued, without Redis."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.tasks import TaskResultStatus
from django.tasks.exceptions import TaskResultDoesNotExist
from django.tasks.signals import task_enqueued, task_finished, task_started
from django.utils import timezone

from performance.queues import enqueue_many
from tests.performance.queues.conftest import free_port, use
from tests.performance.queues.jobs import tasks


@pytest.fixture(autouse=True)
def queues_off(settings: Any, server: Any) -> None:
    """Nothing listens where Redis should be."""
    settings.PERFORMANCE = {**settings.PERFORMANCE, "QUEUES": {"ENABLED": False}}
    use(settings, f"redis://127.0.0.1:{free_port()}/0")


def test_a_task_has_run_when_enqueue_returns() -> None:
    result = tasks.add.enqueue(1, b=2)
    assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, 3)
    assert result.enqueued_at <= result.started_at <= result.finished_at
    assert result.attempts == 1


def test_a_coroutine_runs_from_sync_code_and_from_a_loop() -> None:
    assert tasks.add_later.enqueue(20, 22).return_value == 42

    async def on_a_loop() -> tuple[Any, Any]:
        return tasks.add_later.enqueue(1, 2), await tasks.add_later.aenqueue(3, 4)

    assert [result.return_value for result in asyncio.run(on_a_loop())] == [3, 7]


def test_an_error_is_in_the_result_and_not_raised() -> None:
    result = tasks.fail.enqueue("canary")
    assert result.status == TaskResultStatus.FAILED
    assert result.errors[0].exception_class_path == "builtins.ValueError"
    assert "in fail" in result.errors[0].traceback
    assert "canary" not in result.errors[0].traceback


@pytest.mark.django_db(transaction=True)
def test_it_runs_when_the_transaction_commits_and_not_if_it_is_undone() -> None:
    with transaction.atomic():
        result = tasks.add.enqueue(1, 2)
        assert result.status == TaskResultStatus.READY
    assert result.return_value == 3

    with transaction.atomic():
        undone = tasks.add.enqueue(1, 2)
        transaction.set_rollback(True)
    assert undone.status == TaskResultStatus.READY


@pytest.mark.django_db(transaction=True)
def test_a_durable_task_needs_no_row(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        result = tasks.durable.enqueue()
    assert result.is_finished


def test_context_signals_many_and_a_time_to_run_at() -> None:
    heard: list[tuple[str, str]] = []

    def hear(signal: Any, task_result: Any, **_kwargs: Any) -> None:
        names = {task_enqueued: "enqueued", task_started: "started", task_finished: "finished"}
        heard.append((names[signal], task_result.status))

    for signal in (task_enqueued, task_started, task_finished):
        signal.connect(hear)
    try:
        result = tasks.attempt.using(run_after=timezone.now() + timedelta(days=1)).enqueue()
    finally:
        for signal in (task_enqueued, task_started, task_finished):
            signal.disconnect(hear)
    assert result.return_value == [1, result.id]
    assert heard == [("enqueued", "READY"), ("started", "RUNNING"), ("finished", "SUCCESSFUL")]
    many = enqueue_many(tasks.add, [((n, n), {}) for n in range(3)])
    assert [one.return_value for one in many] == [0, 2, 4]


def test_a_result_is_found_in_the_process_that_ran_it() -> None:
    result = tasks.add.enqueue(1, 2)
    assert tasks.add.get_result(result.id).return_value == 3
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result("nobody")
