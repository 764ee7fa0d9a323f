"""One execution of one job, from the claim to the acknowledged end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import Any, Literal

import msgspec
from django.core.signals import setting_changed
from django.tasks.base import TaskResult, TaskResultStatus

from performance.queues import results
from performance.queues.exceptions import DamagedJob
from performance.queues.options import TaskOptions, options_of
from performance.queues.registry import resolve
from performance.queues.types import AnyResult, AnyTask

StopReason = Literal["cancelled", "timeout", "preempted", "lost"]
Kind = Literal["ok", "fail", "stop", "retry", "back", "park", "lost"]


class Meta(msgspec.Struct):
    """What a job carries beside its arguments."""

    priority: int = 0
    queue_name: str = "default"
    backend: str = "default"
    request_id: str = ""
    correlation_id: str = ""
    traceparent: str = ""
    run_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What is the same for all runs of a task; `sender` is that of its signals."""

    task: AnyTask
    options: TaskOptions
    is_coroutine: bool
    sender: type[Any]


@dataclass(slots=True, eq=False)
class Run:
    """A claimed job. Times are Unix seconds; `deadline` and `stop_at` are of the monotonic clock."""

    id: str
    level: str
    execution: str
    attempt: int
    data: bytes
    meta: Meta
    timeout: float
    enqueued_at: str
    expires_at: float | None
    deliveries: int
    failures: int
    limit: str | None
    result_ttl: int
    failure_ttl: int
    follow_up: bool
    first_started_at: str
    worker: str
    started: float = field(default_factory=time.time)
    began: float | None = None
    deadline: float | None = None
    ended: float = 0.0
    declared: Declared | None = None
    task: AnyTask | None = None
    result: AnyResult | None = None
    options: TaskOptions | None = None
    handle: asyncio.Task[None] | None = None
    thread: int | None = None
    stop_reason: StopReason | None = None
    stop_at: float = 0.0
    registered: bool = False
    closed: bool = False
    kind: Kind | None = None
    error: str = ""
    fault: Exception | None = None

    def begin(self) -> None:
        """Its own time starts: it has its thread, its child or the loop."""
        self.began = time.time()
        self.deadline = time.monotonic() + self.timeout

    def recall_start(self, started_at: str) -> None:
        """Takes its start from the job's record, where another worker had begun it."""
        if moment := results.time_of(started_at):
            self.started = moment.timestamp()

    @property
    def took(self) -> float:
        """Seconds from its beginning to its end, without waiting for a thread or a child."""
        return self.ended - self.began if self.began else 0.0

    @property
    def name(self) -> str:
        """The task's path, or what the job says it is."""
        return self.task.module_path if self.task else "unknown"

    def prepare(self) -> None:
        """Finds the task and rebuilds its result. Raises UnknownTask, DamagedJob and ValueError."""
        if self.fault:
            raise self.fault
        path, args, kwargs = results.call_of(self.data)
        meta = self.meta
        self.declared = _declared(path, meta.priority, meta.queue_name, meta.backend)
        self.task, self.options = self.declared.task, self.declared.options
        now = datetime.now(UTC)
        self.result: AnyResult = TaskResult(
            task=self.task,
            id=self.id,
            status=TaskResultStatus.RUNNING,
            enqueued_at=results.time_of(self.enqueued_at),
            started_at=results.time_of(self.first_started_at) or now,
            last_attempted_at=now,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=meta.backend,
            errors=[],
            # One entry an attempt, as Django counts them; only the present worker is known here.
            worker_ids=[self.worker] * self.attempt,
        )


def from_claim(row: list[bytes], worker: str) -> Run:
    """The Run of one row of the claim; of a damaged row one whose prepare() says so."""
    try:
        return _parsed(row, worker)
    except (ValueError, OverflowError) as error:
        fault = DamagedJob(f"Its record in Redis is damaged: {type(error).__name__}.")
        # Only what the script itself made up is sure to be sound.
        sound = [b""] * len(row)
        sound[:5] = [*row[:4], b""]
        run = _parsed(sound, worker)
        run.fault = fault
        return run


def _parsed(row: list[bytes], worker: str) -> Run:
    job_id, level, execution, attempt, data, meta, timeout, enqueued_at, expires_at = row[:9]
    deliveries, limit, result_ttl, failure_ttl, follow_up, first_started_at = row[9:15]
    stop_requested, failures = row[15:]
    run = Run(
        id=job_id.decode(errors="replace"),
        level=level.decode(),
        execution=execution.decode(),
        attempt=int(attempt),
        data=data,
        meta=_meta(meta),
        timeout=float(timeout or 600),
        enqueued_at=enqueued_at.decode(),
        expires_at=float(expires_at) if expires_at else None,
        deliveries=int(deliveries or 0),
        failures=int(failures or 0),
        limit=limit.decode() if limit else None,
        result_ttl=int(result_ttl or 500),
        failure_ttl=int(failure_ttl or 2592000),
        follow_up=bool(follow_up),
        first_started_at=first_started_at.decode(),
        worker=worker,
    )
    if stop_requested:
        run.stop_reason = "cancelled"
    return run


def _meta(raw: bytes) -> Meta:
    try:
        return _decode_meta(raw) if raw else Meta()
    except msgspec.MsgspecError:
        return Meta()


_decode_meta = msgspec.json.Decoder(Meta).decode


@lru_cache(maxsize=1024)
def _declared(path: str, priority: int, queue_name: str, backend: str) -> Declared:
    task = resolve(path).using(priority=priority, queue_name=queue_name, backend=backend)
    return Declared(
        task=task,
        options=options_of(task.func),
        is_coroutine=iscoroutinefunction(task.func),
        sender=type(task.get_backend()),
    )


def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting == "TASKS":
        _declared.cache_clear()


setting_changed.connect(_forget, dispatch_uid="performance.queues.worker.run")
