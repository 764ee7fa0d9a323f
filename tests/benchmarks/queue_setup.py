"""The peers of the queue benchmark: their packages, their worker's command line, what they can run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[[Path, int], list[str]]


@dataclass(frozen=True)
class Peer:
    """`kinds`: "sync" and "coroutine" do nothing; "io" waits 100 ms, at 100 or ("io1000") 1,000 at once."""

    name: str
    module: str
    packages: tuple[str, ...]
    kinds: tuple[str, ...]
    worker: Command


def _program(name: str, *words: str) -> Command:
    """A console script of the peer's environment; `{n}` stands for the concurrency."""
    return lambda python, n: [str(python.parent / name), *(word.format(n=n) for word in words)]


def _module(*words: str) -> Command:
    return lambda python, n: [str(python), *(word.format(n=n) for word in words)]


_RQ = ("critical", "urgent", "high", "normal", "low", "--quiet")
_ALL = ("sync", "coroutine", "io", "io1000")

PEERS = (
    Peer("ours", "ours", (), _ALL,
         _module("-m", "django", "worker", "--concurrency", "{n}", "--settings", "ours.settings")),
    Peer("ardiq", "ardiq", ("ardiq",), _ALL, _module("peer_ardiq.py", "work")),
    Peer("rq", "rq", ("rq>=3,<4", "hiredis"), ("sync", "coroutine", "io"),
         _program("rq", "worker", *_RQ,)),
    Peer("simple", "rq", ("rq>=3,<4", "hiredis"), ("sync", "coroutine", "io"),
         _program("rq", "worker", *_RQ, "-w", "rq.SimpleWorker")),
    Peer("celery-prefork", "celery", ("celery[redis]", "gevent", "hiredis"), ("sync", "io"),
         _program("celery", "-A", "peer_celery", "worker", "-l", "ERROR", "-c", "2",
                  "--without-gossip", "--without-mingle")),
    Peer("celery-gevent", "celery", ("celery[redis]", "gevent", "hiredis"), ("sync", "io"),
         _program("celery", "-A", "peer_celery", "worker", "-l", "ERROR", "-P", "gevent", "-c", "{n}",
                  "--without-gossip", "--without-mingle")),
    Peer("dramatiq", "dramatiq", ("dramatiq[redis]", "hiredis"), ("sync", "io"),
         _program("dramatiq", "peer_dramatiq", "-p", "1", "-t", "{n}")),
    Peer("huey", "huey", ("huey", "redis", "hiredis"), ("sync", "io"),
         _program("huey_consumer", "peer_huey.huey", "-k", "thread", "-w", "{n}", "-q")),
    Peer("arq", "arq", ("arq", "hiredis"), ("coroutine", "io", "io1000"),
         _module("peer_arq.py", "work")),
    Peer("taskiq", "taskiq", ("taskiq", "taskiq-redis", "hiredis"), _ALL,
         _program("taskiq", "worker", "peer_taskiq:broker", "-w", "1", "--log-level", "ERROR",
                  "--max-async-tasks", "{n}", "--no-configure-logging")),
)  # fmt: skip


def environment_of(url: str, marks: Path, concurrency: int) -> dict[str, str]:
    """The environment of producers and workers."""
    here = Path(__file__).parent / "queue_peers"
    return {
        **{key: value for key, value in os.environ.items() if key != "PERFORMANCE_POOL"},
        "PYTHONPATH": f"{here}{os.pathsep}{ROOT}",
        "PYTHONWARNINGS": "ignore",
        "QUEUE_URL": url,
        "RQ_REDIS_URL": url,
        "MARKS": str(marks),
        "CONCURRENCY": str(concurrency),
    }


def python_of(peer: Peer, folder: Path) -> Path:
    """The peer's Python; its environment is made on first use. Ours is this one."""
    if not peer.packages:
        return Path(sys.executable)
    python = folder / peer.module / "bin" / "python"
    if not python.exists():
        uv = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools/uv/bin/uv")
        subprocess.run(
            [uv, "venv", "-q", "--python", sys.executable, python.parents[1]], check=True
        )
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *peer.packages], check=True)
    return python
