"""The five priority levels, each with one RQ queue of the same name."""

from __future__ import annotations

from enum import StrEnum

from django.tasks.base import DEFAULT_TASK_QUEUE_NAME

# RQ's own, which its keys begin with. Written here, so that a web process need not import RQ to ask of it.
RQ_KEY_PREFIX = "rq"


class Level(StrEnum):
    """One of five priorities, best first. Its value names the RQ queue."""

    CRITICAL = "critical"
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def priority(self) -> int:
        """A Django task priority that maps back to this level."""
        return _PRIORITIES[self]

    @classmethod
    def of(cls, *, queue_name: str, priority: int) -> Level:
        """The level of a task: its queue where that names a level, else its priority (-100..100).

        Zero, Django's default, is NORMAL; everything above it goes ahead of NORMAL, everything
        below behind it. Raises ValueError on a queue that is neither a level nor "default".
        """
        if queue_name != DEFAULT_TASK_QUEUE_NAME:
            return cls(queue_name)
        return next(level for level, least in _LEAST_PRIORITY if priority >= least)


_PRIORITIES = {
    Level.CRITICAL: 100,
    Level.URGENT: 50,
    Level.HIGH: 25,
    Level.NORMAL: 0,
    Level.LOW: -50,
}
_LEAST_PRIORITY = (
    (Level.CRITICAL, 67),
    (Level.URGENT, 34),
    (Level.HIGH, 1),
    (Level.NORMAL, 0),
    (Level.LOW, -100),
)
