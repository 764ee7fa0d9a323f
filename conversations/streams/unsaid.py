"""What could not be announced because Redis was away, said once it is back.

A page that shows no answer being written asks for nothing: it would not hear of a message at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

EVERY = 1.0  # seconds between two tries
PATIENCE = 3600  # seconds; by then the frames would have expired
MOST = 10_000  # frames of a process

Frame = tuple[str, bytes]  # the stream's key, and what is to be appended


class Unsaid:
    """`say(frames)` appends them all, and tells whether it could."""

    def __init__(self, say: Callable[[list[Frame]], bool]) -> None:
        self._say = say
        self._frames: dict[Frame, object] = {}  # in their order, each once
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __bool__(self) -> bool:
        """Whether anything waits: what is to be said now has to come after it."""
        return bool(self._frames)

    def keep(self, frame: Frame) -> None:
        """Says it later, in a thread that ends when all is said. What waits already is said last."""
        with self._lock:
            self._frames.pop(frame, None)
            if len(self._frames) < MOST:
                self._frames[frame] = object()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._try, name="unsaid", daemon=True)
                self._thread.start()

    def drop(self, key: str) -> None:
        """Says nothing more in that stream."""
        with self._lock:
            self._frames = {frame: kept for frame, kept in self._frames.items() if frame[0] != key}

    def _try(self) -> None:
        for _ in range(int(PATIENCE / EVERY)):
            time.sleep(EVERY)
            with self._lock:
                frames = dict(self._frames)
            said = not frames or self._say(list(frames))
            with self._lock:
                for frame, kept in frames.items() if said else ():
                    if self._frames.get(frame) is kept:  # else it is to be said once more, or never
                        del self._frames[frame]
                if not self._frames:
                    self._thread = None
                    return
        with self._lock:
            self._frames, self._thread = {}, None
