"""Ctrl-C, SIGTERM and a closed terminal: the first asks, the second insists."""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import Self

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# `make` passes on a SIGTERM that the whole process group has got as well: that is one request.
SAME_REQUEST = 0.3  # seconds


class Interrupted(BaseException):
    """A signal came during a step that only an exception can leave."""


class Signals:
    """Counts requests to stop. While `interrupting`, each raises Interrupted where it arrives."""

    def __init__(self) -> None:
        self.requests = 0
        self.interrupting = True
        self._latest = -SAME_REQUEST
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in WATCHED:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _arrived(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._latest < SAME_REQUEST:
            return
        self._latest = now
        self.requests += 1
        if self.interrupting:
            raise Interrupted
