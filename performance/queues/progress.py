"""How far a running task is: told from inside, read from outside."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import msgspec
import redis

from performance.queues import connection, scripts
from performance.queues.results import job_key


class Progress(msgspec.Struct, frozen=True):
    """`done` of `total` (None: nobody knows), and a word about what it does now."""

    done: float
    total: float | None = None
    note: str = ""


current_job: ContextVar[str] = ContextVar("current_job")
"""The id of the job that runs in this context."""


class _Buffer:
    """The newest progress of each job, until the worker's next tick writes all of them at once."""

    def __init__(self) -> None:
        self._newest: dict[str, bytes] = {}

    def add(self, job_id: str, packed: bytes) -> None:
        self._newest[job_id] = packed

    def write(self, client: redis.Redis) -> None:
        newest, self._newest = self._newest, {}
        if newest:
            texts = {job_id: packed.decode() for job_id, packed in newest.items()}
            scripts.run(client, "progress", msgspec.msgpack.encode(texts))


_sink: Callable[[str, bytes], None] | None = None


def report_progress(done: float, total: float | None = None, note: str = "") -> None:
    """Says how far the present task is; cheap, shown about every half second. Nothing outside one."""
    job_id = current_job.get("")
    if not job_id:
        return
    packed = msgspec.json.encode(Progress(done, total, note))
    if _sink is not None:
        _sink(job_id, packed)
    else:
        connection.client().hset(job_key(job_id), "progress", packed)


def progress_of(result_id: str) -> Progress | None:
    """What the task said last; None when it said nothing or is gone. Raises redis.RedisError."""
    packed: Any = connection.client().hget(job_key(result_id), "progress")
    return msgspec.json.decode(packed, type=Progress) if packed else None


def buffered(client: redis.Redis) -> Callable[[], None]:
    """Collects progress in this process from now on; the answer writes what was collected."""
    global _sink
    buffer = _Buffer()
    _sink = buffer.add
    return lambda: buffer.write(client)
