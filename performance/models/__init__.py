from __future__ import annotations

from performance.models.task_outbox import TaskOutbox
from performance.models.task_runs import TaskRun

__all__ = ["TaskOutbox", "TaskRun"]
