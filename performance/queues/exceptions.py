"""What can go wrong with a task besides its own errors."""

from __future__ import annotations

from typing import ClassVar


class QueueError(Exception):
    """Base of all errors of this package. Their messages quote no argument of a task."""

    loggable: ClassVar[bool] = True


class EnqueueFailed(QueueError):
    """Redis did not take the job; nothing is queued."""


class QueueFull(QueueError):
    """The level holds as many waiting jobs as it may. `retry_after` is in seconds."""

    def __init__(self, level: str, length: int, retry_after: int) -> None:
        super().__init__(f"Level {level} is full: {length} jobs wait; retry in {retry_after} s.")
        self.level = level
        self.length = length
        self.retry_after = retry_after


class UnknownTask(QueueError):
    """The job names something that is no registered task; it never runs."""


class TaskTimeout(QueueError, TimeoutError):
    """The task ran longer than its timeout."""


class TaskCancelled(QueueError):
    """Somebody cancelled the task."""


class TaskExpired(QueueError):
    """The task waited longer than its time to live and was not run."""


class TaskParked(QueueError):
    """The task took its worker down too often and will not be tried again."""


class TaskShed(QueueError):
    """The task gave way to newer ones because its level was full."""


class WorkerLost(QueueError):
    """The worker died or fell silent while it ran the task."""


class DamagedJob(QueueError):
    """The job's record in Redis is not what it was written as; it is failed without being run."""
