"""Running one job's task in this thread: context, correlation id, signals, time to live."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from django.tasks.base import TaskContext
from django.utils.json import normalize_json

from performance.queues.exceptions import TaskExpired
from performance.queues.submission import CARRIED
from performance.queues.types import AnyResult, AnyTask


def log_context(meta: Mapping[str, Any], job_id: str) -> AbstractContextManager[None]:
    """Binds the correlation id that the job carries, and its own id, to all log lines within."""
    carried = {key: meta[key] for key in CARRIED if key in meta}
    return structlog.contextvars.bound_contextvars(**carried, task_id=job_id)


def refuse_expired(expires_at: float | None) -> None:
    """Raises TaskExpired when the job's time to live in the queue is over."""
    if expires_at is not None and time.time() > expires_at:
        raise TaskExpired("It waited longer than its time to live.")


def arguments(task: AnyTask, result: AnyResult) -> list[Any]:
    """The positional arguments, with the context first where the task wants it."""
    return [TaskContext(task_result=result), *result.args] if task.takes_context else result.args


def call(task: AnyTask, result: AnyResult) -> Any:
    """Calls the task, sync or coroutine, and answers its value as JSON would give it back.

    Raises what the task raises, and TypeError when the value is not JSON.
    """
    function: Callable[..., Any] = task.call
    return normalize_json(function(*arguments(task, result), **result.kwargs))
