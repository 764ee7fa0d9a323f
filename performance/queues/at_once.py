"""Queues switched off: a task runs at once, in the process and thread that enqueue it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.tasks.base import TaskError, TaskResultStatus
from django.tasks.exceptions import TaskResultDoesNotExist
from django.tasks.signals import task_enqueued, task_finished, task_started
from django.utils import timezone

from performance import tracebacks
from performance.queues import running
from performance.queues.types import AnyResult

WORKER = "at-once"
MOST_KEPT = 1000


class AtOnce:
    """Runs tasks, and keeps the newest results of this process for get_result()."""

    def __init__(self, sender: type[Any]) -> None:
        self._sender = sender
        self._kept: OrderedDict[str, AnyResult] = OrderedDict()

    def run(self, result: AnyResult) -> None:
        """Runs the task of `result`, which then holds its end; a task that raises has failed.

        Options are not heeded: there is no retry, timeout or limit, and `run_after` is now.
        """
        _begin(self._sender, result)
        try:
            value = _call(result)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - as a worker does
            result.errors.append(_described(error))
            status = TaskResultStatus.FAILED
        else:
            object.__setattr__(result, "_return_value", value)
            status = TaskResultStatus.SUCCESSFUL
        object.__setattr__(result, "finished_at", timezone.now())
        object.__setattr__(result, "status", status)
        self._keep(result)
        task_finished.send(self._sender, task_result=result)

    def get(self, result_id: str) -> AnyResult:
        """A result of this process. Raises TaskResultDoesNotExist."""
        try:
            return self._kept[result_id]
        except KeyError:
            raise TaskResultDoesNotExist(result_id) from None

    def _keep(self, result: AnyResult) -> None:
        self._kept[result.id] = result
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _begin(sender: type[Any], result: AnyResult) -> None:
    now = timezone.now()
    object.__setattr__(result, "enqueued_at", now)
    task_enqueued.send(sender, task_result=result)
    object.__setattr__(result, "status", TaskResultStatus.RUNNING)
    object.__setattr__(result, "started_at", now)
    object.__setattr__(result, "last_attempted_at", now)
    result.worker_ids.append(WORKER)
    task_started.send(sender, task_result=result)


def _call(result: AnyResult) -> Any:
    with running.log_context({}, result.id):
        if not _on_a_loop():
            return running.call(result.task, result)
        # A coroutine cannot be run to its end on the thread of a loop that runs.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(copy_context().run, running.call, result.task, result).result()


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _described(error: BaseException) -> TaskError:
    kind = type(error)
    return TaskError(
        exception_class_path=f"{kind.__module__}.{kind.__qualname__}",
        traceback=tracebacks.formatted(error),
    )
