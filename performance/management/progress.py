"""A line on a terminal that counts while a command works; silent where nobody watches."""

from __future__ import annotations

import time
from typing import Any

AGAIN = 0.1  # seconds between two looks of the line


class Progress:
    """`progress("minute", 3, 60)` shows "minute 3 of 60"; `end` takes the line away."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._shows = bool(stream.isatty())
        self._next = 0.0

    def __call__(self, what: str, done: int, of: int | None = None) -> None:
        if self._shows and (done == of or time.monotonic() >= self._next):
            self._next = time.monotonic() + AGAIN
            self._stream.write(f"\r\x1b[K{what} {done}{f' of {of}' if of else ''}", ending="")
            self._stream.flush()

    def end(self) -> None:
        if self._shows:
            self._stream.write("\r\x1b[K", ending="")
            self._stream.flush()
