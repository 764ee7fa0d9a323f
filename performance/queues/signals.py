"""What others may hear of the queues, beside Django's own task signals."""

from __future__ import annotations

from django.dispatch import Signal

worker_started = Signal()
"""A worker is about to take its first job. Argument: worker (its name)."""

task_parked = Signal()
"""A task took its worker down too often and is not tried again.

Sent once for each, by the worker that gave up on it (a ConcurrentWorker is the sender), in a thread
of its own: receivers may use the database, and one that raises is logged. Arguments: task (its path,
"unknown" where the job names none), task_id, level, deliveries (how many workers died), worker (the
name of the last that did).
"""
