"""The processes of a running site: what they are (one place), and one of them alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from chatsite.embedded.parent import die_with_parent

LAST_LINES = 12
# Streams are requests that last: above this the next browser waits, and granian's own limit is 1024.
CONCURRENT_REQUESTS = 8192
LONG_LINE = 64 << 10
# Else glibc gives each thread a heap of its own, which grows as threads take turns; Python's lock lets
# one of them allocate at a time anyway. https://man7.org/linux/man-pages/man3/mallopt.3.html
MEMORY = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Spec:
    """How to start one child, and the seconds it gets to end by itself."""

    name: str
    command: tuple[str, ...]
    grace: float
    environment: dict[str, str] = field(default_factory=dict)


def specs(*, host: str, port: int, workers: int, environment: dict[str, str]) -> list[Spec]:
    """Web server and worker, in the order of their end; schedules run inside the worker."""
    python = sys.executable
    place = ("--interface", "asgi", "--host", host, "--port", str(port), "--workers", str(workers))
    limits = ("--backpressure", str(CONCURRENT_REQUESTS), "--workers-kill-timeout", "3s")
    quiet = ("--loop", "uvloop", "--no-ws", "--no-access-log", "--log-level", "warning")
    web = (python, "-m", "granian", *place, *limits, *quiet, "chatsite.asgi:application")
    worker = (python, "manage.py", "worker", "--grace", "4")
    return [
        Spec("web", web, grace=5, environment=environment),
        Spec("worker", worker, grace=8, environment=environment),
    ]


class Child:
    """One process in a session of its own, so that Ctrl-C reaches `up` alone, which stops in order."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.born = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._rest = b""

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def output(self) -> IO[bytes]:
        if self.process is None or self.process.stdout is None:
            raise RuntimeError(f"{self.spec.name} was not started")
        return self.process.stdout

    def start(self) -> None:
        parent = os.getpid()
        self.born = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603
            self.spec.command,
            env={**MEMORY, **os.environ, "PYTHONUNBUFFERED": "1", **self.spec.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # No threads run here, and the signal follows the death of the thread that starts it.
            preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM),  # noqa: PLW1509
        )
        os.set_blocking(self.output.fileno(), False)

    def read(self) -> list[str]:
        """The complete lines written since the last call; never waits."""
        with suppress(OSError, ValueError):
            while chunk := self.output.read(LONG_LINE):
                self._rest += chunk
        *complete, self._rest = self._rest.split(b"\n")
        if len(self._rest) > LONG_LINE or (self._rest and not self.alive):
            complete.append(self._rest)
            self._rest = b""
        lines = [line.decode(errors="replace").rstrip() for line in complete]
        self.last_lines.extend(line for line in lines if line)
        return lines

    def ask(self, sent: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(sent)

    def clear(self) -> None:
        """Ends what is left of its session, such as granian's own workers after its death."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.output.close()
