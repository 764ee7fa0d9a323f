"""Levels, workers and schedules as they are now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from performance.queues import connection, results
from performance.queues.levels import RQ_KEY_PREFIX, Level

OWN = f"{RQ_KEY_PREFIX}:own"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """One level now. `oldest` is how many seconds its first job has waited; None: nothing waits.

    `waiting` counts the `blocked` ones as well, which a concurrency limit holds up."""

    level: Level
    waiting: int
    blocked: int
    running: int
    scheduled: int
    failed: int
    oldest: float | None
    per_minute: int
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One worker that is alive."""

    name: str
    host: str
    pid: int
    levels: list[str]
    state: str
    in_flight: int
    concurrency: int
    memory: int
    successful: int
    failed: int
    born: datetime | None
    heard: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """One periodic task, as the workers know it."""

    task: str
    declared: str
    next_run: datetime
    paused: bool


def levels() -> list[LevelState]:
    """All five levels, in one round trip (two when something waits). Raises redis.RedisError."""
    client: Any = connection.client()
    minute = int(time.time() // 60)
    pipeline = client.pipeline(transaction=False)
    for level in Level:
        pipeline.llen(level_key("queue", level))
        pipeline.lindex(level_key("queue", level), 0)
        for registry in ("wip", "scheduled", "failed"):
            pipeline.zcard(level_key(registry, level))
        pipeline.get(f"{OWN}:done:{level.value}:{minute - 1}")
        pipeline.sismember(f"{OWN}:paused", level.value)
        pipeline.zcard(f"{OWN}:blocked_at:{level.value}")
    answers = iter(pipeline.execute())
    rows = [[next(answers) for _ in range(8)] for _ in Level]
    oldest = _waited(client, [row[1] for row in rows])
    return [
        LevelState(
            level=level,
            waiting=row[0] + row[7],
            blocked=row[7],
            running=row[2],
            scheduled=row[3],
            failed=row[4],
            oldest=waited,
            per_minute=int(row[5] or 0),
            paused=bool(row[6]),
        )
        for level, row, waited in zip(Level, rows, oldest, strict=True)
    ]


def _waited(client: Any, heads: list[bytes | None]) -> list[float | None]:
    pipeline = client.pipeline(transaction=False)
    for head in heads:
        pipeline.hget(results.job_key(head.decode() if head else ""), "enqueued_at")
    now = timezone.now()
    times = [results.time_of(raw.decode()) if raw else None for raw in pipeline.execute()]
    return [max(0.0, (now - moment).total_seconds()) if moment else None for moment in times]


def workers() -> list[WorkerState]:
    """All workers whose heart was heard of lately. Raises redis.RedisError."""
    client: Any = connection.client()
    keys: list[bytes] = sorted(client.smembers(f"{RQ_KEY_PREFIX}:workers"))
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.hgetall(key)
    return [
        _worker(key.decode().rpartition(":")[2], {k.decode(): v.decode() for k, v in raw.items()})
        for key, raw in zip(keys, pipeline.execute(), strict=True)
        if raw and b"death" not in raw
    ]


def _worker(name: str, fields: dict[str, str]) -> WorkerState:
    return WorkerState(
        name=name,
        host=fields.get("hostname", ""),
        pid=int(fields.get("pid") or 0),
        levels=fields.get("queues", "").split(","),
        state=fields.get("state", "?"),
        in_flight=int(fields.get("in_flight") or (fields.get("state") == "busy")),
        concurrency=int(fields.get("concurrency") or 1),
        memory=int(fields.get("memory") or 0),
        successful=int(fields.get("successful_job_count") or 0),
        failed=int(fields.get("failed_job_count") or 0),
        born=results.time_of(fields.get("birth", "")),
        heard=results.time_of(fields.get("last_heartbeat", "")),
    )


def schedules() -> list[ScheduleState]:
    """All periodic tasks that a worker has seen. Raises redis.RedisError."""
    client: Any = connection.client()
    paused = client.smembers(f"{OWN}:schedules:paused")
    found = []
    for name, stored in sorted(client.hgetall(f"{OWN}:schedules").items()):
        moment, _, declared = stored.decode().partition(" ")
        found.append(
            ScheduleState(
                task=name.decode(),
                declared=declared,
                next_run=datetime.fromtimestamp(float(moment), UTC),
                paused=name in paused,
            )
        )
    return found


def level_key(kind: str, level: Level) -> str:
    """RQ's key of one of a level's lists and registries."""
    return f"{RQ_KEY_PREFIX}:{kind}:{level.value}"
