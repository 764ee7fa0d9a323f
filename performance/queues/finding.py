"""Jobs that wait or run, by the id of the request that set them going.

Nothing is written for it when a job is enqueued: what is in Redis at the moment is looked through, MOST of
each list and a thousand jobs a round trip, so that no queue however long holds up Redis or the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

import msgspec

from performance.models import TaskOutbox
from performance.queues import connection, job_lists, results
from performance.queues.job_lists import JobState, Registry
from performance.queues.levels import Level

MOST = 10_000  # jobs of a list, the newest of those that wait
AT_ONCE = 1000
# As a job goes through them: one that moves on meanwhile is seen twice, and not missed.
LISTS: tuple[Registry, ...] = ("scheduled", "blocked", "queued", "started")
CARRIED = ("request_id", "correlation_id")


@dataclass
class Found:
    """`left_out` is how many jobs were not looked at, where a list is longer than MOST."""

    jobs: list[JobState] = field(default_factory=list)
    left_out: int = 0


def of(correlation_id: str) -> Found:
    """The live jobs of that request, those that run last. Raises redis.RedisError."""
    jobs: dict[str, JobState] = {}
    left_out = 0
    for registry in LISTS:
        for level in Level:
            length = job_lists.length(level, registry)
            left_out += max(0, length - MOST)
            for job in _of(correlation_id, level, registry) if length else ():
                jobs[job.id] = job
    return Found(list(jobs.values()), left_out)


def in_outbox(correlation_id: str) -> list[TaskOutbox]:
    """Durable jobs that Redis does not have yet; among the newest thousand."""
    rows = TaskOutbox.objects.order_by("-created_at")[:AT_ONCE]
    return [row for row in rows if _is_of(_meta_of(row), correlation_id)]


def correlation_of(job_id: str) -> str:
    """The id of the request that set that job going; "" where neither is known.

    Raises redis.RedisError.
    """
    client: Any = connection.client()
    meta = results.meta_of({b"meta": client.hget(results.job_key(job_id), "meta") or b"{}"})
    return next((str(meta[name]) for name in reversed(CARRIED) if meta.get(name)), "")


def _of(correlation_id: str, level: Level, registry: Registry) -> Iterator[JobState]:
    client: Any = connection.client()
    wanted = correlation_id.encode()
    # All at once: a part of a list that others shorten meanwhile would leave out as many.
    for entries in batched(job_lists.newest(level, registry, MOST), AT_ONCE):
        pipeline = client.pipeline(transaction=False)
        for job_id, _ in entries:
            pipeline.hget(results.job_key(job_id), "meta")
        mine = [
            entry
            for entry, raw in zip(entries, pipeline.execute(), strict=True)
            if raw and wanted in raw and _is_of(results.meta_of({b"meta": raw}), correlation_id)
        ]
        yield from job_lists.states(mine)


def _meta_of(row: TaskOutbox) -> dict[str, Any]:
    fields = row.job["entry"]["fields"]
    meta = dict(zip(fields[::2], fields[1::2], strict=True))["meta"]
    return msgspec.json.decode(meta, type=dict[str, Any])


def _is_of(meta: dict[str, Any], correlation_id: str) -> bool:
    return any(meta.get(name) == correlation_id for name in CARRIED)
