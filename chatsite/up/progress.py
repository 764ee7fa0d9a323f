"""What the person in front of the terminal reads while the site starts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 34
GREEN, RED, BOLD, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"


class Step:
    """One step under way; `result` is what its line ends with."""

    def __init__(self) -> None:
        self.result = ""


class Progress:
    """One line a step: its name at once, what came of it and the seconds when it is over."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._open = False  # a step's line waits for its end
        self.colour = out.isatty() and not os.environ.get("NO_COLOR")

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        self._begin(name)
        began = time.monotonic()
        step = Step()
        try:
            yield step
        except BaseException as error:
            failed = "failed" if isinstance(error, Exception) else "interrupted"
            self._finish(name, self._painted(RED, failed))
            raise
        seconds = time.monotonic() - began
        self._finish(name, f"{self._painted(GREEN, step.result or 'ready')}, {seconds:.1f} s")

    def say(self, text: str = "") -> None:
        """A line of its own, also in the middle of a step."""
        if self._open:
            self._open = False
            self._write("\n")
        self._write(f"{text}\n")

    def strong(self, text: str) -> str:
        return self._painted(BOLD, text)

    def _begin(self, name: str) -> None:
        self._write(f"  {name} {'.' * (WIDTH - len(name))} ")
        self._open = True

    def _finish(self, name: str, outcome: str) -> None:
        if not self._open:
            self._begin(name)
        self._open = False
        self._write(f"{outcome}\n")

    def _painted(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self.colour else text

    def _write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()
