"""Periodic tasks: declared beside the task, started by whichever worker looks first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import redis
import structlog
from croniter import croniter  # type: ignore[import-untyped]
from django.tasks.signals import task_enqueued
from django.utils import timezone

from performance import tracebacks
from performance.queues import results, scripts, submission
from performance.queues.clock import rq_time
from performance.queues.conf import QueueOptions
from performance.queues.options import Schedule, options_of
from performance.queues.registry import registered
from performance.queues.types import AnyTask

logger = structlog.get_logger(__name__)

LOOK_AGAIN = 5.0
"""Seconds after which a worker asks Redis again about a schedule, to see it paused or moved."""


def next_run(schedule: Schedule, after: datetime) -> datetime:
    """The first run after `after`, always in the future of it. Raises ValueError on a bad schedule."""
    if schedule.every is not None and schedule.every > 0:
        # Aligned to the clock, so that every worker computes the same time.
        number = after.timestamp() // schedule.every + 1
        return datetime.fromtimestamp(number * schedule.every, UTC)
    if schedule.cron is None:
        raise ValueError("A schedule wants `every` (more than 0) or `cron`.")
    zone = ZoneInfo(schedule.time_zone)
    found = _next_of(schedule.cron, after, zone)
    # The night that puts the clocks back has some hours twice; who names an hour means it once.
    while found.astimezone(zone).fold and _names_hours(schedule.cron):
        found = _next_of(schedule.cron, found, zone)
    return found


def _next_of(cron: str, after: datetime, zone: ZoneInfo) -> datetime:
    found: datetime = croniter(cron, after.astimezone(zone)).get_next(datetime)
    return found.astimezone(UTC)


def _names_hours(cron: str) -> bool:
    minute, *others = cron.split()
    return not others[0].startswith("*") if others else minute != "@hourly"


def declared(schedule: Schedule) -> str:
    """The schedule as text; when it changes, a stored next run no longer counts."""
    if schedule.every is not None:
        return f"every {schedule.every:g} s"
    return f"cron {schedule.cron} {schedule.time_zone}"


def scheduled_tasks() -> Iterator[tuple[AnyTask, Schedule]]:
    """All tasks of this process that declare a schedule."""
    for task in registered():
        schedule = options_of(task.func).schedule
        if schedule is not None:
            yield task, schedule


@dataclass
class Schedules:
    """Call it often: starts what is due, each run once over all workers, missed runs once."""

    client: redis.Redis
    conf: QueueOptions

    def __post_init__(self) -> None:
        self._look_at: dict[str, float] = {}

    def __call__(self) -> None:
        """Looks at every schedule that may be due."""
        now = time.time()
        for task, schedule in scheduled_tasks():
            if self._look_at.get(task.module_path, 0) <= now:
                self._look(task, schedule, now)

    def _look(self, task: AnyTask, schedule: Schedule, now: float) -> None:
        self._look_at[task.module_path] = now + LOOK_AGAIN
        try:
            following = next_run(schedule, datetime.fromtimestamp(now, UTC)).timestamp()
            self._look_at[task.module_path] = min(following, now + LOOK_AGAIN)
            job = submission.prepare(task, (), {}, self.conf)
            started = scripts.run(self.client, "schedule", *_call(task, schedule, following, job))
        except redis.RedisError:
            raise
        except Exception as error:  # noqa: BLE001 - also of the task's own keys; the others go on
            logger.warning("schedule_failed", task=task.module_path, error=tracebacks.line(error))
        else:
            if started == 1:
                _tell(task, job.id)
                logger.debug("schedule_started", task=task.module_path)


def _tell(task: AnyTask, job_id: str) -> None:
    """As where somebody enqueues; a receiver that raises is logged, by Django, and harms no schedule."""
    result = results.fresh(task, (), {}, job_id)
    object.__setattr__(result, "enqueued_at", timezone.now())
    task_enqueued.send_robust(type(task.get_backend()), task_result=result)


def _call(
    task: AnyTask, schedule: Schedule, following: float, job: submission.Submission
) -> tuple[bytes, bytes]:
    now = time.time()
    stamped = submission.stamped(job, rq_time(now))
    # A run that still waits or runs is enough; the next one is not piled on top of it.
    stamped |= {"unique": f"schedule:{task.module_path}", "until_finished": True, "replace": False}
    # So at most one waits, and a full level, which a sweep may be there to relieve, is no reason.
    stamped["most"] = 0
    call = {
        "iso_now": rq_time(now),
        "unix_now": now,
        "name": task.module_path,
        "declared": declared(schedule),
        "next": following,
        "job": stamped,
    }
    return msgspec.msgpack.encode(call), submission.packed(job.data)
