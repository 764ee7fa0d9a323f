"""What caches and queues tell others. None is sent per operation or per job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.dispatch import Signal

cache_unavailable = Signal()
"""A server stopped answering. Arguments: server, error."""

cache_recovered = Signal()
"""It answers again. Arguments: server, seconds."""

# alias: of CACHES. counts: what this process counted since it last said so, as {name: int}, where
#   "<namespace>|<count>"   is one of counts.COUNTED; the namespace is "" for keys in none, and holds
#                           no "|"; `load_seconds` is in microseconds here; the namespace "generation"
#                           is the cache's own
#   "<namespace>|latency|<bucket>"  is a number of operations that asked the server, "|load|<bucket>"
#                           of loads; bucket b holds durations from 2**(b/4) - 1 microseconds up to
#                           the next
#   "|error|<class>"        is a number of failures: the class of an exception, or the first word of
#                           what the server said (OOM)
# Sent about every PERFORMANCE["CACHE"]["STATS_SECONDS"] from a thread of its own, once an alias.
cache_measured = Signal()

worker_started = Signal()
"""A worker is about to take its first job. Argument: worker (its name)."""

tasks_measured = Signal()
"""Runs that ended in the last second, from a thread of the worker's.

Argument: runs, a list of (task, level, status, seconds waited, seconds run); status as TaskRun has it.
"""

task_parked = Signal()
"""A task took its worker down too often and is not tried again.

Sent once for each, by the worker that gave up on it (a ConcurrentWorker is the sender), in a thread
of its own: receivers may use the database, and one that raises is logged. Arguments: task (its path,
"unknown" where the job names none), task_id, level, deliveries (how many workers died), worker (the
name of the last that did).
"""

child_started = Signal()
"""In the process of an isolated task, before it: `task_result`."""
child_ended = Signal()
"""In the process of an isolated task, after it, before the process ends: `task_result`."""


def on_loop[R: Callable[..., Any]](receiver: R) -> R:
    """Marks a receiver of Django's task signals that asks no database and waits for nothing.

    Such a one is called where the task begins or ends: on the worker's loop, in the run's own context. All
    others are called in order on a thread of their own, perhaps a little later, and may use the ORM.
    """
    receiver.on_loop = True  # type: ignore[attr-defined]
    return receiver
