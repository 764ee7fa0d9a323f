"""Several worker processes under one supervisor, which starts again what dies."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import structlog

logger = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1
HEALTHY_AFTER = 10.0
LONGEST_DELAY = 30.0


class Pool:
    """`command` is one worker's command line; `size` of them run until SIGTERM or SIGINT.

    A worker that dies is started again: at once if it had run well for a while, else after a
    growing delay. With `burst`, one that ends by itself is not.
    """

    def __init__(self, command: Sequence[str], size: int, *, burst: bool = False) -> None:
        self._command = list(command)
        self._burst = burst
        self._places = [_Place(number) for number in range(size)]
        self._signals = 0

    def run(self) -> int:
        """Runs until all workers have ended; answers the worst exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        while not self._over():
            for place in self._places:
                place.tend(self._command, stopping=bool(self._signals), burst=self._burst)
            time.sleep(0.1)
        # A worker that was told to stop before it listened ends by the signal, which is as good.
        told = {-signal.SIGTERM} if self._signals else set()
        return max(
            (abs(p.status) for p in self._places if p.status and p.status not in told), default=0
        )

    def _over(self) -> bool:
        alive = any(place.alive for place in self._places)
        return not alive and (bool(self._signals) or all(place.finished for place in self._places))

    def _pass_on(self, number: int, _frame: object) -> None:
        self._signals += 1
        for place in self._places:
            place.signal(signal.SIGTERM)


class _Place:
    """One worker process and its successors."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._process: subprocess.Popen[bytes] | None = None
        self._born = 0.0
        self._delay = 0.0
        self._not_before = 0.0
        self.status: int | None = None
        self.finished = False

    @property
    def alive(self) -> bool:
        return self._process is not None

    def signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def tend(self, command: list[str], *, stopping: bool, burst: bool) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._bury(burst=burst)
        waits = stopping or self.finished or time.monotonic() < self._not_before
        if self._process is None and not waits:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - the supervisor has no threads
                start_new_session=True,
            )
            self._born = time.monotonic()

    def _bury(self, *, burst: bool) -> None:
        process, self._process = self._process, None
        self.status = process.returncode if process else None
        self.finished = burst and self.status == 0
        lived = time.monotonic() - self._born
        self._delay = (
            0.0 if lived > HEALTHY_AFTER else min(max(0.5, self._delay * 2), LONGEST_DELAY)
        )
        self._not_before = time.monotonic() + self._delay
        if not self.finished:
            logger.warning(
                "worker_ended", place=self._number, status=self.status, lived=round(lived)
            )


def _die_with_parent() -> None:
    # A supervisor that is killed takes its workers along; they hand their jobs back.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
