"""The child's side: one task, then the end. Importing this sets Django up, once, in the fork server."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from multiprocessing.connection import Connection

import django
import msgspec
from django.apps import apps
from django.db import connections
from django.tasks.base import TaskResult, TaskResultStatus
from django.utils import timezone

from performance import tracebacks
from performance.queues.types import AnyResult


class Call(msgspec.Struct):
    """What the child is to run."""

    id: str
    data: bytes
    attempt: int
    worker: str
    carried: dict[str, str]
    enqueued_at: str
    backend: str


class Answer(msgspec.Struct):
    """What came of it: a value (JSON) or an error."""

    value: bytes = b"null"
    error: str = ""
    traceback: str = ""
    retry_after: float | None = None


if not apps.ready and not apps.loading:
    django.setup()


def main(pipe: Connection, packed: bytes) -> None:
    """Runs the call, sends the Answer and ends; ends at once when the worker is gone."""
    threading.Thread(target=_end_with_the_worker, args=(pipe,), daemon=True).start()
    try:
        answer = _run(msgspec.msgpack.decode(packed, type=Call))
    except BaseException as error:  # noqa: BLE001
        after = getattr(error, "retry_after", None)
        answer = Answer(
            error=f"{type(error).__module__}.{type(error).__qualname__}",
            # Half a character, as file names may hold, would keep the answer from being sent.
            traceback=tracebacks.formatted(error).encode(errors="replace").decode(),
            retry_after=after if isinstance(after, int | float) else None,
        )
    connections.close_all()
    pipe.send_bytes(msgspec.msgpack.encode(answer))
    os._exit(0)


def _end_with_the_worker(pipe: Connection) -> None:
    with suppress(EOFError, OSError):
        pipe.poll(None)
        pipe.recv_bytes()
    os._exit(1)


def _run(call: Call) -> Answer:
    from performance.queues import progress, results, running
    from performance.queues.registry import resolve
    from performance.signals import child_ended, child_started

    path, args, kwargs = results.call_of(call.data)
    task = resolve(path)
    result: AnyResult = TaskResult(
        task=task,
        id=call.id,
        status=TaskResultStatus.RUNNING,
        enqueued_at=results.time_of(call.enqueued_at),
        started_at=timezone.now(),
        last_attempted_at=timezone.now(),
        finished_at=None,
        args=args,
        kwargs=kwargs,
        backend=call.backend,
        errors=[],
        worker_ids=[call.worker] * call.attempt,
    )
    progress.current_job.set(call.id)
    with running.log_context(call.carried, call.id):
        child_started.send_robust(type(task.get_backend()), task_result=result)
        try:
            return Answer(value=msgspec.json.encode(running.call(task, result)))
        finally:
            child_ended.send_robust(type(task.get_backend()), task_result=result)
