"""What the queues hold now, and the levers that staff may pull."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.utils import timezone
from rq.defaults import RQ_KEY_PREFIX
from rq.utils import utcformat

from performance.queues import connection, results, scripts
from performance.queues.levels import Level

OWN = f"{RQ_KEY_PREFIX}:own"
Registry = Literal["queued", "started", "scheduled", "failed", "finished", "canceled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """One level now. `oldest` is how many seconds its first job has waited; None: nothing waits.

    `waiting` counts those that a limit holds up as well."""

    level: Level
    waiting: int
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
class JobState:
    """One job, without its arguments."""

    id: str
    task: str
    level: str
    status: str
    enqueued_at: datetime | None
    started_at: datetime | None
    run_at: datetime | None
    worker: str
    attempts: int
    error: str


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
        pipeline.llen(_key("queue", level))
        pipeline.lindex(_key("queue", level), 0)
        for registry in ("wip", "scheduled", "failed"):
            pipeline.zcard(_key(registry, level))
        pipeline.get(f"{OWN}:done:{level.value}:{minute - 1}")
        pipeline.sismember(f"{OWN}:paused", level.value)
        pipeline.scard(f"{OWN}:blocked_in:{level.value}")
    answers = iter(pipeline.execute())
    rows = [[next(answers) for _ in range(8)] for _ in Level]
    oldest = _waited(client, [row[1] for row in rows])
    return [
        LevelState(
            level=level,
            waiting=row[0] + row[7],
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


def jobs(level: Level, registry: Registry, *, first: int = 0, most: int = 100) -> list[JobState]:
    """A page of a level's jobs: queued and scheduled ones in their order, the others newest first.

    Raises redis.RedisError.
    """
    client: Any = connection.client()
    last = first + most - 1
    entries: list[Any]
    if registry == "queued":
        entries = [(entry, None) for entry in client.lrange(_key("queue", level), first, last)]
    else:
        name = {"started": "wip"}.get(registry, registry)
        entries = client.zrange(
            _key(name, level), first, last, desc=registry != "scheduled", withscores=True
        )
    ids = [entry.decode().partition(":")[0] for entry, _ in entries]
    pipeline = client.pipeline(transaction=False)
    for job_id in ids:
        pipeline.hgetall(results.job_key(job_id))
    run_at = [score if registry == "scheduled" else None for _, score in entries]
    rows = zip(ids, pipeline.execute(), run_at, strict=True)
    return [_job(job_id, raw, at) for job_id, raw, at in rows if raw]


def _job(job_id: str, raw: dict[bytes, bytes], run_at: float | None) -> JobState:
    fields = {key.decode(): value for key, value in raw.items() if key != b"data"}

    def text(name: str) -> str:
        return fields.get(name, b"").decode(errors="replace")

    return JobState(
        id=job_id,
        task=text("description"),
        level=text("origin"),
        status=text("status"),
        enqueued_at=results.time_of(text("enqueued_at")),
        started_at=results.time_of(text("started_at")),
        run_at=datetime.fromtimestamp(run_at, UTC) if run_at else None,
        worker=text("worker_name"),
        attempts=int(text("attempts") or 0),
        error=text("exc_info").strip().rpartition("\n")[2][:200],
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


def pause(level: Level) -> None:
    """No worker of ours claims from this level until resume(); what runs goes on."""
    connection.client().sadd(f"{OWN}:paused", level.value)


def resume(level: Level) -> None:
    """Undoes pause()."""
    connection.client().srem(f"{OWN}:paused", level.value)


def pause_schedule(task: str) -> None:
    """The periodic task is not started until resume_schedule()."""
    connection.client().sadd(f"{OWN}:schedules:paused", task)


def resume_schedule(task: str) -> None:
    """Undoes pause_schedule(); a missed run is made up once."""
    connection.client().srem(f"{OWN}:schedules:paused", task)


def retry(job_id: str) -> bool:
    """Queues a failed, stopped or cancelled job again; False when it is none of these."""
    now = utcformat(timezone.now())
    return bool(scripts.run(connection.client(), "requeue", job_id, now))


def retry_all(job_ids: Iterable[str]) -> int:
    """How many of them were queued again."""
    return sum(retry(job_id) for job_id in job_ids)


def empty(level: Level) -> int:
    """Cancels all waiting jobs of the level; answers how many."""
    now, total = timezone.now(), 0
    while True:
        done = scripts.run(
            connection.client(), "empty", level.value, 1000, utcformat(now), now.timestamp()
        )
        total += int(done)
        if done < 1000:
            return total


def _key(kind: str, level: Level) -> str:
    return f"{RQ_KEY_PREFIX}:{kind}:{level.value}"
