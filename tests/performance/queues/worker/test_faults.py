"""One bad job, receiver or part must not take the worker or other jobs along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.dispatch import Signal
from django.tasks import TaskResultStatus
from django.tasks.signals import task_finished, task_started

from performance.queues import conf
from performance.queues.worker import ConcurrentWorker
from performance.queues.worker.finisher import Finisher
from tests.performance.queues.conftest import FAST, LEVELS, Workers, eventually, history
from tests.performance.queues.jobs import tasks


def is_over(result: Any) -> bool:
    result.refresh()
    return result.is_finished


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
