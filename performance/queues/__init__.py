"""Background tasks: five priority levels on RQ behind Django's own task interface.

from performance.queues import Level, task

@task(level=Level.HIGH, timeout=60)
async def make_reply(*, reply_id: str) -> None: ...

result = make_reply.enqueue(reply_id=...)
cancel(result.id)
"""

from __future__ import annotations

from performance.queues.cancelling import acancel, cancel
from performance.queues.exceptions import (
    EnqueueFailed,
    QueueError,
    QueueFull,
    TaskCancelled,
    TaskExpired,
    TaskTimeout,
    UnknownTask,
)
from performance.queues.levels import Level
from performance.queues.options import Idempotent, Limit, Retry, Schedule, Unique
from performance.queues.progress import Progress, progress_of, report_progress
from performance.queues.registry import enqueue_many, task

__all__ = [
    "EnqueueFailed",
    "Idempotent",
    "Level",
    "Limit",
    "Progress",
    "QueueError",
    "QueueFull",
    "Retry",
    "Schedule",
    "TaskCancelled",
    "TaskExpired",
    "TaskTimeout",
    "Unique",
    "UnknownTask",
    "acancel",
    "cancel",
    "enqueue_many",
    "progress_of",
    "report_progress",
    "task",
]
