"""Django's task backend over RQ: five queues, JSON jobs, enqueued when the transaction commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.core import checks
from django.db import transaction
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import DEFAULT_TASK_QUEUE_NAME
from django.tasks.signals import task_enqueued
from django.utils import timezone

from performance import conf as performance_conf
from performance.queues import conf, connection, results, submission
from performance.queues.at_once import AtOnce
from performance.queues.exceptions import QueueError
from performance.queues.options import options_of
from performance.queues.registry import RegisteredTask
from performance.queues.submission import Submission
from performance.queues.types import AnyResult, AnyTask

logger = structlog.get_logger(__name__)

Call = tuple[Sequence[Any], Mapping[str, Any]]


class RQBackend(BaseTaskBackend):
    """`TASKS` backend; `OPTIONS` are conf.QueueOptions in capitals."""

    task_class = RegisteredTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.queues.add(DEFAULT_TASK_QUEUE_NAME)
        self.conf = conf.read(self.options)
        self._at_once = AtOnce(type(self))

    def enqueue(  # type: ignore[override]
        self, task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> AnyResult:
        """Queues the call when the open transaction commits, or at once outside of one.

        The result and its id are there at once. Raises QueueFull or EnqueueFailed, which after a
        commit reach the caller of the outermost atomic block, unless the task is durable.
        """
        return self.enqueue_many(task, [(args, kwargs)])[0]

    def enqueue_many(self, task: AnyTask, calls: Iterable[Call]) -> list[AnyResult]:
        """As enqueue(), for many calls of one task in one round trip."""
        self.validate_task(task)
        made = [self._new_result(task, args, kwargs) for args, kwargs in calls]
        if _enabled() and options_of(task.func).durable is True:
            self._outbox().keep(task.module_path, [job for _, job in made])
        if self.conf.enqueue_on_commit and transaction.get_connection().in_atomic_block:
            transaction.on_commit(partial(self._send_committed, task, made))
        else:
            self._send_committed(task, made)
        return [result for result, _ in made]

    def get_result(self, result_id: str) -> AnyResult:
        """The result as it stands now. Raises TaskResultDoesNotExist."""
        if not _enabled():
            return self._at_once.get(result_id)
        return results.load(connection.client(), result_id, self.alias)

    async def aget_result(self, result_id: str) -> AnyResult:
        """As get_result(); does not queue behind the database's thread."""
        return await sync_to_async(self.get_result, thread_sensitive=False)(result_id)

    def check(self, **_kwargs: Any) -> list[checks.CheckMessage]:
        """System checks of this alias."""
        from performance.queues.checks import check_backend

        return list(check_backend(self))

    @staticmethod
    def _outbox() -> ModuleType:
        # Models are not loaded yet when the first task is declared.
        from performance.queues import outbox

        return outbox

    def _new_result(
        self, task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[AnyResult, Submission]:
        result = results.fresh(task, args, kwargs)
        job = submission.prepare(task, result.args, result.kwargs, self.conf)
        object.__setattr__(result, "id", job.id)
        return result, job

    def _send_committed(self, task: AnyTask, made: list[tuple[AnyResult, Submission]]) -> None:
        """What is durable is found again by a sweeper, so its caller goes on without Redis."""
        if not _enabled():
            for result, _ in made:
                self._at_once.run(result)
            return
        durable = options_of(task.func).durable
        try:
            self._send(made)
            if durable is True:
                self._outbox().release([job for _, job in made])
        except QueueError as error:
            if not durable:
                raise
            logger.warning(
                "enqueue_postponed", task=task.module_path, jobs=len(made), reason=str(error)
            )

    def _send(self, made: list[tuple[AnyResult, Submission]]) -> None:
        ids = submission.send(connection.client(), [job for _, job in made])
        now = timezone.now()
        for (result, job), found in zip(made, ids, strict=True):
            # A duplicate answers with the job it repeats.
            object.__setattr__(result, "id", found)
            object.__setattr__(result, "enqueued_at", now)
            if found == job.id:
                task_enqueued.send(type(self), task_result=result)


def _enabled() -> bool:
    return performance_conf.current().queues.enabled
