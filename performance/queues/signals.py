"""What others may hear of the queues, beside Django's own task signals; see performance.signals."""

from __future__ import annotations

from performance.signals import task_parked, tasks_measured, worker_started

__all__ = ["task_parked", "tasks_measured", "worker_started"]
