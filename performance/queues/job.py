"""RQ's Job that runs registered tasks only; for stock RQ workers and RQ's own tools beside ours."""

from __future__ import annotations

from typing import Any

from django.db import close_old_connections, reset_queries
from django.tasks.base import TaskResultStatus
from django.tasks.signals import task_finished, task_started
from rq.job import Job
from rq.serializers import JSONSerializer

from performance.queues import progress, results, running
from performance.queues.options import options_of
from performance.queues.registry import resolve
from performance.queues.types import AnyResult


class TaskJob(Job):
    """A job whose name must be a registered task; data is JSON whatever RQ was told.

    Callbacks and webhooks that a job names are ignored: they are paths and addresses from Redis.
    """

    success_callback = None
    failure_callback = None
    stopped_callback = None

    def __init__(self, id: str | None = None, connection: Any = None, **_kwargs: Any) -> None:  # noqa: A002
        super().__init__(id, connection, JSONSerializer)
        self._retry_in = 0.0

    @property
    def func(self) -> Any:
        """The registered task's function. Raises UnknownTask."""
        return resolve(self.func_name or "").func

    def send_webhooks(self, status: Any, *, exc_string: str | None = None) -> None:
        """Sends nothing: a job may not choose where this server connects to."""

    def _execute(self) -> Any:
        resolve(self.func_name or "")
        result = results.load(self.connection, self.id, "default")
        progress.current_job.set(self.id)
        with running.log_context(self.meta, self.id):
            return self._run(result)

    def _run(self, result: AnyResult) -> Any:
        expires_at = self.connection.hget(self.key, "expires_at")
        close_old_connections()
        reset_queries()
        self._announce(result, TaskResultStatus.RUNNING)
        try:
            running.refuse_expired(float(expires_at) if expires_at else None)
            value = running.call(result.task, result)
        except BaseException as error:
            self._plan_retry(result, error)
            self._announce(result, TaskResultStatus.FAILED)
            raise
        else:
            self._announce(result, TaskResultStatus.SUCCESSFUL)
            return value
        finally:
            close_old_connections()

    def _announce(self, result: AnyResult, status: TaskResultStatus) -> None:
        object.__setattr__(result, "status", status)
        signal = task_started if status == TaskResultStatus.RUNNING else task_finished
        if status == TaskResultStatus.FAILED and self._retry_in:
            return
        signal.send(type(result.task.get_backend()), task_result=result)

    def _plan_retry(self, result: AnyResult, error: BaseException) -> None:
        # RQ keeps no record of an attempt that it repeats.
        failures = self.connection.hincrby(self.key, "failures", 1)
        delay = options_of(result.task.func).retry.delay(error, failures)
        self._retry_in = 0.0 if delay is None else max(delay, 0.001)

    @property
    def should_retry(self) -> bool:
        """What the task declares; RQ's own counter only guards abandoned jobs."""
        return self._retry_in > 0

    def get_retry_interval(self) -> int:
        """Whole seconds until the planned retry."""
        return max(1, round(self._retry_in)) if self._retry_in else 0
