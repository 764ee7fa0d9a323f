"""Processes that another one started and left behind: whether they are ours, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path


def ours(pid: int, mark: str) -> bool:
    """True where `pid` runs and `mark` stands in its command line: pids are used again.

    A zombie has none; where process 1 does not reap, as in many a container, zombies stay.
    """
    return mark in _command_line(pid)


def end(pid: int, mark: str, *, first: signal.Signals, seconds: float) -> None:
    """Ends the process `pid` if it is ours: asked by the signal `first`, after `seconds` killed."""
    for sent, patience in ((first, seconds), (signal.SIGKILL, 5.0)):
        if not ours(pid, mark):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, sent)
            os.kill(pid, signal.SIGCONT)  # a stopped process would not hear it
        deadline = time.monotonic() + patience
        while ours(pid, mark) and time.monotonic() < deadline:
            time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> None:
    """Ends a child by these signals in turn, each with the seconds to wait after it."""
    for sent, seconds in signals:
        with suppress(ProcessLookupError):
            process.send_signal(sent)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def _command_line(pid: int) -> str:
    """Arguments parted by spaces; empty where there is no such process, or a dead one."""
    if pid <= 0:
        return ""
    with suppress(OSError):
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    if Path("/proc/self").exists():
        return ""
    found = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout
