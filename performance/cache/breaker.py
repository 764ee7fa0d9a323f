"""Stops asking a server that does not answer, and asks again in the background until it does."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable

from performance.cache.signals import cache_recovered, cache_unavailable

logger = logging.getLogger("performance.cache")
_all: weakref.WeakSet[Breaker] = weakref.WeakSet()


class Breaker:
    """Open after the first failure that a new connection repeats; no caller pays for a probe.

    `probe` is called off the callers' threads every `interval` seconds and raises while the server
    is away; then `recover` is called, before the first caller is let through again.
    """

    def __init__(
        self, name: str, probe: Callable[[], object], recover: Callable[[], object], interval: float
    ) -> None:
        self.name = name
        self.is_open = False
        self.trips = 0
        self._probe = probe
        self._recover = recover
        self._interval = interval
        self._lock = threading.Lock()
        self._closed = threading.Event()
        _all.add(self)

    def trip(self, error: BaseException) -> None:
        with self._lock:
            if self.is_open:
                return
            self.is_open = True
            self.trips += 1
        logger.warning("Cache server %s does not answer (%s): going on without.", self.name, error)
        cache_unavailable.send_robust(sender=type(self), server=self.name, error=error)
        threading.Thread(target=self._watch, name=f"cache-probe-{self.name}", daemon=True).start()

    def _recover_late(self) -> None:
        """For one who gave up while the others were being let through again."""
        try:
            self._recover()
        except Exception as error:  # noqa: BLE001 - the next failure trips the breaker again
            logger.debug("Cache server %s went away again: %s", self.name, error)

    def close(self) -> None:
        """Stop asking."""
        self._closed.set()

    def _watch(self) -> None:
        began = time.monotonic()
        while not self._closed.wait(self._interval):
            try:
                self._probe()
                self._recover()
                break
            except Exception as error:  # noqa: BLE001 - whatever keeps it from answering, ask again
                logger.debug("Cache server %s still does not answer: %s", self.name, error)
        else:
            return
        self.is_open = False
        self._recover_late()
        away = time.monotonic() - began
        logger.warning("Cache server %s answers again after %.1f s.", self.name, away)
        cache_recovered.send_robust(sender=type(self), server=self.name, seconds=away)


def _in_child() -> None:
    for breaker in list(_all):
        breaker.is_open = False
        breaker._lock = threading.Lock()  # noqa: SLF001 - another thread may have held it at the fork


os.register_at_fork(after_in_child=_in_child)
