"""The worker: many jobs at once in one process, on RQ's own records."""

from __future__ import annotations

from performance.queues.worker.concurrent import ConcurrentWorker

__all__ = ["ConcurrentWorker"]
