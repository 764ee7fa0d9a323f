"""Django's TaskResult read back from RQ's records."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis
from django.tasks.base import TaskError, TaskResult, TaskResultStatus
from django.tasks.exceptions import TaskResultDoesNotExist

from performance.queues.exceptions import UnknownTask
from performance.queues.levels import RQ_KEY_PREFIX
from performance.queues.registry import resolve
from performance.queues.types import AnyResult, AnyTask

_STATUSES = {
    "started": TaskResultStatus.RUNNING,
    "finished": TaskResultStatus.SUCCESSFUL,
    "failed": TaskResultStatus.FAILED,
    "stopped": TaskResultStatus.FAILED,
    "canceled": TaskResultStatus.FAILED,
}
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")
_SUCCESSFUL, _FAILED, _RETRIED = 1, 2, 4

_decode_call = msgspec.json.Decoder(tuple[str, None, list[Any], dict[str, Any]]).decode

Fields = Mapping[bytes, bytes]


def job_key(job_id: str) -> str:
    """RQ's key of the job hash."""
    return f"{RQ_KEY_PREFIX}:job:{job_id}"


def results_key(job_id: str) -> str:
    """RQ's key of the job's result stream."""
    return f"{RQ_KEY_PREFIX}:results:{job_id}"


def fresh(
    task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any], job_id: str = ""
) -> AnyResult:
    """The result of a call that nobody has begun."""
    return TaskResult(
        task=task,
        id=job_id,
        status=TaskResultStatus.READY,
        enqueued_at=None,
        started_at=None,
        last_attempted_at=None,
        finished_at=None,
        args=list(args),
        kwargs=dict(kwargs),
        backend=task.backend,
        errors=[],
        worker_ids=[],
    )


def load(connection: redis.Redis, job_id: str, alias: str) -> AnyResult:
    """The result as it stands now, in one round trip. Raises TaskResultDoesNotExist."""
    pipeline = connection.pipeline(transaction=False)
    pipeline.hgetall(job_key(job_id))
    pipeline.xrange(results_key(job_id))
    job, attempts = pipeline.execute()
    if not job:
        raise TaskResultDoesNotExist(job_id)
    try:
        path, args, kwargs = call_of(job[b"data"])
        task = task_of(path, job)
    except (KeyError, ValueError, UnknownTask) as error:
        raise TaskResultDoesNotExist(job_id) from error
    result = _result(task, job_id, job, [fields for _, fields in attempts])
    object.__setattr__(result, "args", args)
    object.__setattr__(result, "kwargs", kwargs)
    object.__setattr__(result, "backend", alias)
    return result


def call_of(data: bytes) -> tuple[str, list[Any], dict[str, Any]]:
    """Path, args and kwargs out of RQ's `data`, which must be JSON. Raises ValueError."""
    try:
        raw = zlib.decompress(data) if data[:1] == b"x" else data
        path, _instance, args, kwargs = _decode_call(raw)
    except (msgspec.MsgspecError, zlib.error) as error:
        raise ValueError(f"Not a job of ours: {error}") from None
    return path, args, kwargs


def task_of(path: str, job: Fields) -> AnyTask:
    """The registered task as it was enqueued. Raises UnknownTask."""
    task = resolve(path)
    meta = meta_of(job)
    run_after = meta.get("run_after")
    return task.using(
        priority=meta.get("priority"),
        queue_name=meta.get("queue_name"),
        backend=meta.get("backend"),
        run_after=datetime.fromisoformat(run_after) if run_after else None,
    )


def meta_of(job: Fields) -> dict[str, Any]:
    """RQ's `meta`, or nothing where it is not JSON."""
    try:
        return msgspec.json.decode(job.get(b"meta", b"{}"), type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _result(task: AnyTask, job_id: str, job: Fields, attempts: list[Fields]) -> AnyResult:
    status = _STATUSES.get(job.get(b"status", b"").decode(), TaskResultStatus.READY)
    started = _time(job.get(b"first_started_at") or job.get(b"started_at"))
    finished = status in {TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED}
    result: AnyResult = TaskResult(
        task=task,
        id=job_id,
        status=status,
        enqueued_at=_time(job.get(b"enqueued_at")),
        started_at=started,
        last_attempted_at=_time(job.get(b"started_at")),
        finished_at=_time(job.get(b"ended_at")) if finished else None,
        args=[],
        kwargs={},
        backend=task.backend,
        errors=[_error(fields) for fields in attempts if _is_error(fields)],
        worker_ids=_workers(job, attempts),
    )
    if status == TaskResultStatus.SUCCESSFUL:
        object.__setattr__(result, "_return_value", _return_value(attempts))
    return result


def time_of(text: str) -> datetime | None:
    """One of RQ's times; None for an empty text."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _time(raw: bytes | None) -> datetime | None:
    return time_of(raw.decode()) if raw else None


def _is_error(attempt: Fields) -> bool:
    return int(attempt[b"type"]) != _SUCCESSFUL


def _error(attempt: Fields) -> TaskError:
    traceback = _traceback(attempt)
    path = attempt.get(b"error_class", b"").decode() or raised_class(traceback)
    return TaskError(exception_class_path=path, traceback=traceback)


def _traceback(attempt: Fields) -> str:
    packed = attempt.get(b"exc_string")
    if packed:
        return zlib.decompress(b64decode(packed)).decode()
    return attempt.get(b"error_message", b"").decode()


def raised_class(traceback: str) -> str:
    """The class that the traceback's last line names; stock RQ keeps no more."""
    for line in reversed(traceback.splitlines()):
        match = _RAISED.match(line)
        if match and match[1] != "Traceback":
            return match[1] if "." in match[1] else f"builtins.{match[1]}"
    return "builtins.Exception"


def _workers(job: Fields, attempts: list[Fields]) -> list[str]:
    workers = [name.decode() for fields in attempts if (name := fields.get(b"worker_name"))]
    if job.get(b"status") == b"started" and job.get(b"worker_name"):
        workers.append(job[b"worker_name"].decode())
    return workers


def _return_value(attempts: list[Fields]) -> Any:
    packed = attempts[-1].get(b"return_value") if attempts else None
    return msgspec.json.decode(b64decode(packed)) if packed else None
