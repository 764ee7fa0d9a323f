"""Loads under way in this process: whoever wants the same value waits for the one that makes it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.db import connections, reset_queries

BACKGROUND_THREADS = 4


class Flight(Future[Any]):
    """A load and its result, for threads and coroutines; cancelled when its maker gave up."""


class Background:
    """Threads that refresh values while their readers have been given the old ones."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget)

    def submit(self, work: Callable[[], object]) -> Future[Any]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(
                    BACKGROUND_THREADS, thread_name_prefix="cache-refresh"
                )
        return self._pool.submit(copy_context().run, _with_connections_closed, work)

    def _forget(self) -> None:
        self._pool, self._lock = None, threading.Lock()


def _with_connections_closed(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        reset_queries()
        connections.close_all()


background = Background()
