"""Once a minute: what expired leaves RQ's registries, and what stock workers left in between comes back."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rq import Queue
from rq.intermediate_queue import IntermediateQueue
from rq.worker_registration import clean_worker_registry

EVERY = 60.0


class Maintenance:
    """Call it often. Started jobs are the reaper's, so RQ's own cleaning of these is left out."""

    def __init__(self, queues: Sequence[Queue]) -> None:
        self._queues = queues
        self._next = time.monotonic() + EVERY

    def __call__(self) -> None:
        """Cleans if it is time, one worker at a time for each queue."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        for queue in self._queues:
            if queue.acquire_maintenance_lock():
                clean(queue)
                queue.release_maintenance_lock()  # type: ignore[no-untyped-call]


def clean(queue: Queue) -> None:
    """Forgets expired entries and dead workers of one queue."""
    queue.finished_job_registry.cleanup()
    queue.failed_job_registry.cleanup()
    queue.ready_job_registry.cleanup()
    _forget_cancelled(queue)
    clean_worker_registry(queue)
    _return_stuck(queue)


def _forget_cancelled(queue: Queue) -> None:
    """RQ leaves these; ours have the time in their score at which the job itself expires."""
    registry = queue.canceled_job_registry
    queue.connection.zremrangebyscore(registry.key, 1, time.time())


def _return_stuck(queue: Queue) -> None:
    """A stock worker on one queue may die between taking a job and noting it; RQ fails such a job."""
    between: IntermediateQueue = queue.intermediate_queue
    running = set(queue.started_job_registry.get_job_ids(cleanup=False))
    for job_id in between.get_job_ids():
        if job_id in running or between.set_first_seen(job_id):
            continue
        if between.should_be_cleaned_up(job_id):
            between.remove(job_id)
            queue.push_job_id(job_id, at_front=True)
