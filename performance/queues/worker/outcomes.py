"""How a run ended, as an entry for lua/finish.lua."""

from __future__ import annotations

import time
import zlib
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from django.tasks.base import TaskError, TaskResultStatus
from django.utils.json import normalize_json
from django.utils.module_loading import import_string

from performance import tracebacks
from performance.queues.clock import rq_time
from performance.queues.exceptions import TaskCancelled, TaskParked, TaskTimeout, WorkerLost
from performance.queues.worker.children import ChildRaised
from performance.queues.worker.run import Kind, Run

logger = structlog.get_logger(__name__)

_LONGEST_TRACEBACK = 20_000
_json = msgspec.json.Encoder()


def success(run: Run, value: Any) -> dict[str, Any]:
    """The task returned. Raises TypeError when its value is not JSON."""
    op = _op(run, "ok", run.result_ttl)
    if value is not None:
        value = normalize_json(value)
        op["return_value"] = b64encode(_json.encode(value)).decode()
    if run.result is not None:
        _end(run, TaskResultStatus.SUCCESSFUL)
        object.__setattr__(run.result, "_return_value", value)
    return op


def failure(run: Run, error: BaseException) -> dict[str, Any]:
    """The task raised: another try if it declares one, else the end."""
    delay = _delay(run, error)
    if delay is None:
        return _failed(run, "fail", error)
    op = _failed(run, "retry", error)
    op["at"] = time.time() + delay
    if run.result is not None:
        object.__setattr__(run.result, "status", TaskResultStatus.READY)
        object.__setattr__(run.result, "finished_at", None)
    return op


def _delay(run: Run, error: BaseException) -> float | None:
    """Whatever the exception does when it is asked, its run must end."""
    if run.options is None:
        return None
    try:
        return run.options.retry.delay(error, run.failures + 1)
    except Exception:
        logger.exception("retry_undecided", task=run.name, task_id=run.id)
        return None


def failure_in_child(run: Run, error: ChildRaised) -> dict[str, Any]:
    """The task raised in a child process, whose traceback is told as it was there."""
    op = failure(run, _as_raised(error))
    return _described(run, op, error.path, error.text)


def _as_raised(error: ChildRaised) -> BaseException:
    """An exception of the task's own class, for what its retries say of it."""
    try:
        raised_class = import_string(error.path)
        raised = raised_class.__new__(raised_class)
        if error.retry_after is not None:
            raised.retry_after = error.retry_after
    except Exception:  # noqa: BLE001 - whatever the class does when it is made
        return error
    return raised if isinstance(raised, BaseException) else error


def stopped(run: Run, error: BaseException) -> dict[str, Any]:
    """The run was made to stop; what that means depends on why."""
    if run.stop_reason in {"preempted", "lost"}:
        return handed_back(run)
    if run.stop_reason == "timeout":
        timeout = TaskTimeout(f"It ran longer than its timeout of {run.timeout:g} s.")
        timeout.__cause__ = error
        return failure(run, timeout)
    if run.stop_reason == "cancelled":
        return _failed(run, "stop", TaskCancelled("Cancelled while it ran."))
    return failure(run, error)


def handed_back(run: Run) -> dict[str, Any]:
    """Back to the head of its queue; neither a success nor a failure."""
    return _op(run, "back", 0)


def parked(run: Run) -> dict[str, Any]:
    """It killed its process once too often."""
    times = run.deliveries + 1
    return _failed(
        run, "park", TaskParked(f"Its process died {times} times; it is not tried again.")
    )


def lost(run: Run) -> None:
    """Its worker died; the job went back to its queue without us."""
    _failed(run, "lost", WorkerLost("The worker that ran it died or fell silent."))


def _failed(run: Run, kind: Kind, error: BaseException) -> dict[str, Any]:
    op = _op(run, kind, run.failure_ttl)
    path = f"{type(error).__module__}.{type(error).__qualname__}"
    if run.result is not None:
        run.result.errors.append(TaskError(exception_class_path="", traceback=""))
        _end(run, TaskResultStatus.FAILED)
    return _described(run, op, path, tracebacks.formatted(error))


def _described(run: Run, op: dict[str, Any], path: str, text: str) -> dict[str, Any]:
    text = text[-_LONGEST_TRACEBACK:].encode(errors="replace").decode()
    op["exc_string"] = b64encode(zlib.compress(text.encode())).decode()
    op["exc_info"] = text
    op["error_class"] = path
    run.error = path
    if run.result is not None:
        run.result.errors[-1] = TaskError(exception_class_path=path, traceback=text)
    return op


def _end(run: Run, status: TaskResultStatus) -> None:
    object.__setattr__(run.result, "status", status)
    object.__setattr__(run.result, "finished_at", datetime.fromtimestamp(run.ended, UTC))


def _op(run: Run, kind: Kind, ttl: int) -> dict[str, Any]:
    run.kind = kind
    run.ended = time.time()
    op: dict[str, Any] = {
        "kind": kind,
        "id": run.id,
        "execution": run.execution,
        "level": run.level,
        "started": f"{run.started:.6f}",
        "ended": f"{run.ended:.6f}",
        "ended_at": rq_time(run.ended),
        "ttl": ttl,
    }
    if run.limit:
        op["limit"] = run.limit
    if run.registered:
        op["registered"] = True
    if run.follow_up:
        op["follow_up"] = True
    return op
