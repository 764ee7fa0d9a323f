"""What this process knows of a server that is away: everybody is told so at once, and one a second tries."""

from __future__ import annotations

import threading
import time

PAUSE = 1.0  # seconds from one try to the next


class Outage:
    """Begins with a try that failed and ends with one that did not. For all threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False
        self._try_at = 0.0

    @property
    def is_on(self) -> bool:
        return self._is_on

    def begin(self) -> None:
        """The server could not be reached."""
        with self._lock:
            self._is_on, self._try_at = True, time.monotonic() + PAUSE

    def end(self) -> None:
        self._is_on = False

    def may_try(self) -> bool:
        """True for one caller in each pause, who then says how it went."""
        now = time.monotonic()
        with self._lock:
            if now < self._try_at:
                return False
            self._try_at = now + PAUSE
            return True
