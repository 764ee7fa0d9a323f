"""Where callers leave their events: one append, no lock, no I/O, bounded.

A deque's append is atomic under the interpreter lock, so threads and event loops share one. The
flusher takes the events out; until then they wait here, and beyond `most` they are counted, not kept.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

Event = tuple[Callable[..., None], tuple[Any, ...]]
"""What the flusher does: call the first with its Recording and the arguments."""


class Buffer:
    def __init__(self, most: int) -> None:
        self._events: deque[Event] = deque()
        self._most = most
        self._dropped = itertools.count()  # next() is atomic, += is not
        self._asked = self._told = 0

    def add(self, event: Event) -> None:
        if len(self._events) < self._most:
            self._events.append(event)
        else:
            next(self._dropped)

    def drain(self) -> list[Event]:
        """What is there now, oldest first. One thread at a time."""
        take = self._events.popleft
        return [take() for _ in range(len(self._events))]

    def dropped(self) -> int:
        """How many were dropped since the last call. One thread at a time."""
        total = next(self._dropped) - self._asked  # asking counts one, too
        self._asked += 1
        fresh, self._told = total - self._told, total
        return fresh

    def __len__(self) -> int:
        return len(self._events)
