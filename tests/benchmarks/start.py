"""What a web process takes to start and to hold, and how long a stranger waits for a first answer.

python -m tests.benchmarks start [--rounds 5] [--without-clone]

`import` is `import chatsite.asgi` in a fresh interpreter; `worker` is a granian worker that has answered
/health/live, its resident memory as the kernel tells it. Both run on the packages of
requirements/production.txt alone, with the optional services off: what is installed beside them is imported
by some of them. `clone` is `git clone`, `make run`, a sign-up and a question, until its answer is there; the
packages come from the installer's cache where that is warm.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.benchmarks.first_answer import first_answer
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
SERVICES = ("CACHE", "QUEUES", "METRICS", "QUERIES", "ALERTS")
TIMED = """
import resource, time
begun = time.perf_counter()
import chatsite.asgi
wall = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_SELF)
print(wall, used.ru_utime + used.ru_stime)
"""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="start")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-clone", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        python = production(Path(name))
        imported(python)  # writes the bytecode
        found = [(*imported(python), worker(python)) for _ in range(options.rounds)]
    wall, cpu, memory = (statistics.median(values) for values in zip(*found, strict=True))
    figures = {
        "import_seconds": round(wall, 2),
        "import_cpu_seconds": round(cpu, 2),
        "worker_mb": round(memory, 1),
    }
    if not options.without_clone:
        figures["clone_to_answer_seconds"] = round(first_answer(ROOT), 1)
    for what, value in figures.items():
        print(f"{what:24} {value:8}")
    print(json.dumps({"name": "start", "figures": figures, "ratios": {}}))


def production(directory: Path) -> Path:
    """The Python of a new environment with the packages that production has."""
    uv = shutil.which("uv") or str(ROOT / ".tools/uv/bin/uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, directory], check=True)
    locked = ROOT / "requirements/production.txt"
    subprocess.run(
        [uv, "pip", "sync", "--quiet", locked],
        env=os.environ | {"VIRTUAL_ENV": str(directory)},
        check=True,
    )
    return directory / "bin/python"


def environment() -> dict[str, str]:
    """Production's, with servers that nobody asks and nothing optional."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "DJANGO_SETTINGS_MODULE": "chatsite.settings",
        "DEBUG": "off",
        "SECRET_KEY": "a key for a benchmark alone 1B2c3 " + "x1Y" * 20,
        "ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "CACHE_URL": "redis://127.0.0.1:1/0",
        "QUEUE_URL": "redis://127.0.0.1:2/0",
        **{f"{service}_ENABLED": "off" for service in SERVICES},
    }


def imported(python: Path) -> tuple[float, float]:
    """Seconds by the clock and of CPU."""
    done = subprocess.run(
        [python, "-c", TIMED], env=environment(), cwd=ROOT, check=True, capture_output=True
    )
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


def worker(python: Path) -> float:
    """MB (2**20 bytes) of the process that serves."""
    port = free_port()
    place = ["--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    command = [python, "-m", "granian", *place, "chatsite.asgi:application"]
    with started(command, environment()) as process:
        answered(port, "/health/live")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return max(map(resident, map(int, children)))


def resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@contextmanager
def started(command: list[object], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a session of its own, which ends with the block."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        list(map(str, command)),
        env=env,
        cwd=ROOT,
        stdout=quiet,
        stderr=quiet,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def answered(port: int, path: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except (URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
