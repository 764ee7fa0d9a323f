"""One source of events each: requests, statements, caches, tasks, connection pools."""

from __future__ import annotations

from performance.metrics import on_flush
from performance.metrics.recorders import caches, pools, tasks


def connect() -> None:
    """Has caches, tasks and pools recorded; requests and statements come by the middleware."""
    caches.connect()
    tasks.connect()
    on_flush(pools.sample)
