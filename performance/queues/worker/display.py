"""One line on the terminal that says what the worker does."""

from __future__ import annotations

import sys
import time

import redis

from performance.queues.levels import RQ_KEY_PREFIX, Level
from performance.queues.worker.dispatcher import Dispatcher


class Display:
    """Call it as often as you like; it writes about once a second, over its own last line."""

    def __init__(self, dispatcher: Dispatcher, client: redis.Redis) -> None:
        self._dispatcher = dispatcher
        self._client = client
        self._shown = time.monotonic()
        self._ended = 0

    def __call__(self) -> None:
        """Writes the line if it is time."""
        now = time.monotonic()
        if now - self._shown < 1:
            return
        ended = self._dispatcher.ended
        rate = (ended - self._ended) / (now - self._shown)
        self._shown, self._ended = now, ended
        sys.stderr.write(f"\r\x1b[K{self._line(rate)}")
        sys.stderr.flush()

    def _line(self, rate: float) -> str:
        pipeline = self._client.pipeline(transaction=False)
        for level in Level:
            pipeline.llen(f"{RQ_KEY_PREFIX}:queue:{level.value}")
        waiting = "  ".join(
            f"{level.value} {length}"
            for level, length in zip(Level, pipeline.execute(), strict=True)
        )
        running, done = len(self._dispatcher.runs), self._dispatcher.ended
        return f"running {running}  done {done}  {rate:.0f}/s  |  waiting: {waiting}"
