"""One source of events each: requests, caches, tasks. Statements come by performance.queries."""

from __future__ import annotations

from performance.metrics.recorders import caches, tasks


def connect() -> None:
    """Has caches and tasks recorded; requests come by the middleware."""
    caches.connect()
    tasks.connect()
