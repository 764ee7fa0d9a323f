"""What staff may do to the queues. All raise redis.RedisError."""

from __future__ import annotations

import time
from typing import Any

from performance.queues import connection, scripts
from performance.queues.clock import rq_time
from performance.queues.inspection import OWN, level_key
from performance.queues.levels import Level

RETRY_AT_ONCE = 1000


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
    now = rq_time(time.time())
    return bool(scripts.run(connection.client(), "requeue", job_id, now))


def retry_failed(level: Level) -> int:
    """Queues the level's failed jobs again, at most RETRY_AT_ONCE, oldest first; answers how many."""
    ids: Any = connection.client().zrange(level_key("failed", level), 0, RETRY_AT_ONCE - 1)
    return sum(retry(job_id.decode()) for job_id in ids)


def empty(level: Level) -> int:
    """Cancels all waiting jobs of the level; answers how many."""
    now, total = time.time(), 0
    while True:
        done = scripts.run(connection.client(), "empty", level.value, 1000, rq_time(now), now)
        total += int(done)
        if done < 1000:
            return total
