"""The jobs of a level, page by page, without their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from performance.queues import connection, results
from performance.queues.inspection import OWN, level_key
from performance.queues.levels import Level

Registry = Literal["queued", "blocked", "started", "scheduled", "failed", "finished", "canceled"]
"""`blocked`: a concurrency limit holds them up."""
Entry = tuple[str, float | None]
"""The id of a job, and when it is to run where it is scheduled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """One job, without its arguments; `limit` is the task and key of its limit, if it has one."""

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
    limit: str


def jobs(level: Level, registry: Registry, *, first: int = 0, most: int = 100) -> list[JobState]:
    """A page of a level's jobs: those that wait in their order, the others newest first.

    Raises redis.RedisError.
    """
    client: Any = connection.client()
    last = first + most - 1
    if registry == "queued":
        entries = [(entry, None) for entry in client.lrange(_key(level, registry), first, last)]
    else:
        newest_first = registry not in {"scheduled", "blocked"}
        entries = client.zrange(
            _key(level, registry), first, last, desc=newest_first, withscores=True
        )
    return states(_entries(registry, entries))


def newest(level: Level, registry: Registry, most: int) -> list[Entry]:
    """The `most` newest ids; of those scheduled, the next to run come first.

    Raises redis.RedisError.
    """
    client: Any = connection.client()
    key = _key(level, registry)
    if registry == "queued":
        found = client.lrange(key, -most, -1)
        return _entries(registry, [(entry, None) for entry in reversed(found)])
    descending = registry != "scheduled"
    return _entries(registry, client.zrange(key, 0, most - 1, desc=descending, withscores=True))


def length(level: Level, registry: Registry) -> int:
    """How many there are. Raises redis.RedisError."""
    client: Any = connection.client()
    key = _key(level, registry)
    return int(client.llen(key) if registry == "queued" else client.zcard(key))


def states(entries: Sequence[Entry]) -> list[JobState]:
    """The jobs of these ids, without those that are gone. One round trip. Raises redis.RedisError."""
    pipeline: Any = connection.client().pipeline(transaction=False)
    for job_id, _ in entries:
        pipeline.hgetall(results.job_key(job_id))
    rows = zip(entries, pipeline.execute(), strict=True)
    return [_job(job_id, raw, at) for (job_id, at), raw in rows if raw]


def _entries(registry: Registry, found: Iterable[tuple[bytes, float | None]]) -> list[Entry]:
    return [
        (entry.decode().partition(":")[0], score if registry == "scheduled" else None)
        for entry, score in found
    ]


def _key(level: Level, registry: Registry) -> str:
    if registry == "queued":
        return level_key("queue", level)
    if registry == "blocked":
        return f"{OWN}:blocked_at:{level.value}"
    return level_key("wip" if registry == "started" else registry, level)


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
        error=results.raised_class(text("exc_info"))[:200] if text("exc_info") else "",
        limit=text("limit_key"),
    )
