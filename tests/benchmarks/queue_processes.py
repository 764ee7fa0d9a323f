"""A peer's worker while it runs: started, watched, measured, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.queue_setup import Peer

PATIENCE = 12.0
"""Seconds after which a slow peer's rate is taken from what it has done so far."""


@contextlib.contextmanager
def worker_of(
    peer: Peer, python: Path, concurrency: int, environment: dict[str, str]
) -> Iterator[int]:
    """The peer's worker while it runs; its process id."""
    worker = subprocess.Popen(
        peer.worker(python, concurrency),
        cwd=Path(__file__).parent / "queue_peers",
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield worker.pid
    finally:
        _end(worker)


def watch(pid: int, marks: Path, jobs: int) -> dict[str, float]:
    """Waits for the last job, or until patience ends; CPU seconds since the first job, peak memory."""
    until = time.monotonic() + PATIENCE
    first: tuple[float, int] | None = None
    memory = 0
    while time.monotonic() < until:
        done = marks.stat().st_size // 8 if marks.exists() else 0
        cpu, resident = _tree(pid)
        memory = max(memory, resident)
        if done and first is None:
            first = (cpu, done)
        if done >= jobs:
            break
        time.sleep(0.02)
    done = marks.stat().st_size // 8 if marks.exists() else 0
    since_first = (_tree(pid)[0] - first[0]) / max(1, done - first[1]) if first else 0.0
    return {"cpu_us": since_first * 1e6, "memory_mb": memory / 1e6}


def _tree(pid: int) -> tuple[float, int]:
    cpu, memory = 0.0, 0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            times = process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            memory += process.memory_info().rss
    except psutil.Error:
        pass
    return cpu, memory


def _end(worker: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(worker.pid, signal.SIGTERM)
        worker.wait(timeout=0.5)
    except (subprocess.TimeoutExpired, ProcessLookupError):
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def times_in(marks: Path) -> list[float]:
    raw = marks.read_bytes() if marks.exists() else b""
    return sorted(value for (value,) in struct.iter_unpack("d", raw))
