"""What others may hear of the queues, beside Django's own task signals."""

from __future__ import annotations

from django.dispatch import Signal

worker_started = Signal()
"""A worker is about to take its first job. Argument: worker (its name)."""

task_parked = Signal()
"""A task took its worker down too often. Arguments: task_id, level, deliveries, worker."""
