"""A circuit breaker per endpoint: a server that is down costs its users no more waiting."""

from __future__ import annotations

import functools
import threading
import time

from conversations.ai.exceptions import (
    BackendOverloaded,
    BackendTimeout,
    BackendUnreachable,
    ChatBackendError,
)

FAILURES = 5
PAUSE = 10.0
BREAKING = (BackendUnreachable, BackendOverloaded, BackendTimeout)


class Breaker:
    """Opens after FAILURES failed requests in a row; after PAUSE seconds lets one through to see."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    def enter(self) -> None:
        """Raises BackendUnreachable while the circuit is open."""
        with self._lock:
            if self._failures < FAILURES:
                return
            now = time.monotonic()
            if now < self._closed_again_at:
                raise BackendUnreachable(
                    "circuit open", retry_after=round(self._closed_again_at - now, 1)
                )
            self._closed_again_at = now + PAUSE

    def note(self, error: ChatBackendError) -> None:
        """A refusal shows a server that is up; silence and faults of its own show one that is not."""
        if not isinstance(error, BREAKING):
            self.succeeded()
            return
        with self._lock:
            self._failures += 1
            self._closed_again_at = time.monotonic() + PAUSE

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self._failures >= FAILURES and time.monotonic() < self._closed_again_at

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0


@functools.lru_cache(maxsize=64)
def breaker_for(base_url: str) -> Breaker:
    return Breaker()
