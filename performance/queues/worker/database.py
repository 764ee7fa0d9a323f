"""Threads for the ORM calls of coroutine tasks: a few for all, so that connections stay bounded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import close_old_connections, connections, reset_queries


class DatabaseThreads:
    """Without this all coroutines of a process share a single thread for their ORM calls.

    Each run is tied to one of `size` threads, so its calls keep their order and their connection.
    """

    def __init__(self, size: int) -> None:
        self._executors = [
            ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"orm-{n}") for n in range(size)
        ]
        self._contexts = [ThreadSensitiveContext() for _ in range(size)]
        for context, executor in zip(self._contexts, self._executors, strict=True):
            SyncToAsync.context_to_thread_executor[context] = executor
        self._next = cycle(self._contexts)

    def enter(self) -> None:
        """Ties the current context to the next thread."""
        SyncToAsync.thread_sensitive_context.set(next(self._next))

    def tidy(self, *, idle: bool) -> None:
        """Closes broken connections, and when nothing runs all that are over their age."""
        for executor in self._executors:
            if executor._threads:  # noqa: SLF001
                # With DEBUG on, Django remembers every statement until a request begins.
                executor.submit(reset_queries)
                executor.submit(close_old_connections if idle else _close_broken)

    def close(self) -> None:
        """Closes all connections and ends the threads."""
        for executor in self._executors:
            executor.submit(connections.close_all)
            executor.shutdown(wait=False)


def _close_broken() -> None:
    # An open server-side cursor of another run must survive this.
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()


def widen_pools(needed: int) -> None:
    """Lets each connection pool of this process grow to `needed`; call before any is opened.

    The site's setting is made for its web threads; a worker with more threads than connections
    would have its tasks wait for one and fail.
    """
    for alias in connections:
        pool = connections[alias].settings_dict.get("OPTIONS", {}).get("pool")
        if isinstance(pool, dict):
            pool["max_size"] = max(pool.get("max_size", 0), needed)
