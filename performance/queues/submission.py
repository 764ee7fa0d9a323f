"""A job as it goes to Redis: RQ's own hash, written by one script call for one job or many."""

from __future__ import annotations

import math
import secrets
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import redis
import structlog

from performance.queues import scripts
from performance.queues.clock import rq_time
from performance.queues.conf import QueueOptions
from performance.queues.exceptions import EnqueueFailed, QueueFull
from performance.queues.levels import Level
from performance.queues.options import TaskOptions, interval_of, key_for, options_of
from performance.queues.types import AnyTask

CARRIED = ("request_id", "correlation_id", "traceparent")
"""The names of the log context that a job takes along."""

_COMPRESS_ABOVE = 1024
_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One job to be enqueued: script entry and data. Plain values only, so an outbox can hold it."""

    id: str
    level: Level
    data: str
    entry: dict[str, Any] = field(repr=False)


def prepare(
    task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any], queue: QueueOptions
) -> Submission:
    """The job of one call, not yet sent. Raises ValueError on a key that cannot be made,
    TypeError on arguments that are not JSON."""
    level = Level.of(queue_name=task.queue_name, priority=task.priority)
    options = options_of(task.func)
    job_id = secrets.token_hex(16)
    entry: dict[str, Any] = {
        "id": job_id,
        "queue": level.value,
        "run_at": task.run_after.timestamp() if task.run_after else 0,
        "delay": _delay(task.run_after),
        "most": queue.max_length.get(level, 0),
        "shed": level in queue.shed,
        "fields": _fields(task, level, options, list(args), dict(kwargs)),
    }
    entry |= _identity(task, options, list(args), dict(kwargs))
    call = (task.module_path, None, args, kwargs)
    return Submission(id=job_id, level=level, data=_json.encode(call).decode(), entry=entry)


def send(connection: redis.Redis, jobs: Sequence[Submission], *, bounded: bool = True) -> list[str]:
    """Enqueues all jobs in one round trip; answers their ids, or the ids of those they duplicate.

    `bounded` off lets them past the most that a level may hold: they were accepted before.

    Raises QueueFull (for the first refused one; those before it are queued) and EnqueueFailed.
    """
    now = time.time()
    iso_now = rq_time(now)
    control: dict[str, Any] = {
        "iso_now": iso_now,
        "unix_now": now,
        "jobs": [stamped(job, iso_now) for job in jobs],
    }
    if not bounded:
        control["jobs"] = [{**entry, "most": 0} for entry in control["jobs"]]
    try:
        answers = scripts.run(
            connection,
            "submit",
            msgspec.msgpack.encode(control),
            *(packed(job.data) for job in jobs),
        )
    except redis.RedisError as error:
        raise EnqueueFailed(f"Redis did not take the job: {type(error).__name__}.") from error
    return [_accepted(job, answer) for job, answer in zip(jobs, answers, strict=True)]


def _accepted(job: Submission, answer: list[Any]) -> str:
    if answer[0] == 3:
        per_minute = max(1, int(answer[2]))
        wait = min(300, max(1, math.ceil(answer[1] / per_minute * 6)))
        raise QueueFull(job.level.value, int(answer[1]), wait)
    found: bytes = answer[1]
    return found.decode()


def stamped(job: Submission, now: str) -> dict[str, Any]:
    """The script's entry, with the time (RQ's format) at which it is sent."""
    return {**job.entry, "fields": [*job.entry["fields"], "enqueued_at", now]}


def packed(data: str) -> bytes:
    """RQ's `data`: JSON, compressed where that pays."""
    raw = data.encode()
    return zlib.compress(raw) if len(raw) > _COMPRESS_ABOVE else raw


def _delay(run_after: datetime | None) -> int:
    return max(0, int(run_after.timestamp() - time.time())) if run_after else 0


def _fields(
    task: AnyTask, level: Level, options: TaskOptions, args: list[Any], kwargs: dict[str, Any]
) -> list[str]:
    fields = [
        *("created_at", rq_time(time.time())),
        *("description", task.module_path),
        *("origin", level.value),
        *("status", "queued"),
        *("timeout", str(math.ceil(options.timeout))),
        *("result_ttl", str(options.result_ttl)),
        *("failure_ttl", str(options.failure_ttl)),
        # What makes a stock worker's maintenance requeue an abandoned job instead of failing it.
        *("retries_left", "3"),
        *("meta", _json.encode(_meta(task)).decode()),
    ]
    if options.durable:
        fields += ["durable", "1"]
    if options.ttl is not None:
        start = task.run_after.timestamp() if task.run_after else time.time()
        fields += ["expires_at", repr(start + options.ttl)]
    if options.limit is not None:
        fields += _limit_fields(task, options, args, kwargs)
    return fields


def _limit_fields(
    task: AnyTask, options: TaskOptions, args: list[Any], kwargs: dict[str, Any]
) -> list[str]:
    limit = options.limit
    if limit is None:
        return []
    key = key_for(limit.key, args, kwargs) if limit.key else ""
    fields = ["limit_key", f"{task.module_path}:{key}"]
    if limit.concurrency:
        fields += ["limit_concurrency", str(limit.concurrency)]
    if limit.rate:
        fields += ["limit_interval", repr(interval_of(limit.rate))]
    return fields


def _identity(
    task: AnyTask, options: TaskOptions, args: list[Any], kwargs: dict[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.unique is not None:
        key = key_for(options.unique.key, args, kwargs)
        found["unique"] = f"{task.module_path}:{key}"
        found["until_finished"] = options.unique.until == "finished"
        found["replace"] = options.unique.on_duplicate == "replace"
    if options.idempotent is not None:
        key = key_for(options.idempotent.key, args, kwargs)
        found["idempotent"] = f"{task.module_path}:{key}"
        found["keep"] = options.idempotent.keep
    return found


def _meta(task: AnyTask) -> dict[str, Any]:
    context = structlog.contextvars.get_contextvars()
    meta: dict[str, Any] = {key: str(context[key]) for key in CARRIED if key in context}
    meta["priority"] = task.priority
    meta["queue_name"] = task.queue_name
    meta["backend"] = task.backend
    if task.run_after is not None:
        meta["run_after"] = task.run_after.isoformat()
    return meta
