"""Monitoring: what watching a request and a statement costs, beside the peers, and what it stores.

The same views run in a process for each contender, in turn; figures are medians of rounds. Peers are
installed into .data/benchmarks/ on first use. `--quick` takes fewer rounds.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.monitoring_own import own_figures
from tests.benchmarks.servers import test_database

ROOT = Path(__file__).resolve().parents[2]
PEERS_HOME = ROOT / ".data" / "benchmarks" / "monitoring"
HERE = Path(__file__).with_name("monitoring_peers")
BASE = ("django~=6.0.0", "psycopg[binary]~=3.3")
OTEL = (
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-django",
    "opentelemetry-instrumentation-psycopg",
)

# Name: packages beside Django and psycopg; None is this environment.
CONTENDERS: dict[str, tuple[str, ...] | None] = {
    "bare": None,
    "ours": None,
    "django-prometheus": None,
    "django-observatory": ("django-observatory",),
    "opentelemetry": OTEL,
    "django-silk": ("django-silk",),
}
Cpu = dict[str, dict[str, float]]
TIMES = {"none": 400, "five": 60, "fifty": 8, "small": 100}
SLOW = {"django-silk": 0.1}  # it takes milliseconds for each statement


class Contender:
    """A process that serves the views when told."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [str(python_of(name)), "-W", "ignore", str(HERE / "loop.py")],
            env={**environment, "CONTENDER": name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
        )
        self.answer()

    def answer(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"{self.name} ended early.")
        return line

    def tell(self, *words: object) -> list[float]:
        assert self.process.stdin
        print(*words, file=self.process.stdin, flush=True)
        return [float(word) for word in self.answer().split()]

    def cpu(self, page: str) -> list[float]:
        """Microseconds of CPU a request: of the process, and of the thread that answers."""
        times = max(2, int(TIMES[page] * SLOW.get(self.name, 1)))
        return self.tell("cpu", page, times)

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)


def python_of(name: str) -> Path:
    packages = CONTENDERS[name]
    if packages is None:
        return Path(sys.executable)
    python = PEERS_HOME / name / "bin" / "python"
    if not python.exists():
        found = shutil.which("uv") or str(ROOT / ".tools/uv/bin/uv")
        uv = os.environ.get("UV", found)
        subprocess.run(
            [uv, "venv", "-q", "--python", sys.executable, str(PEERS_HOME / name)], check=True
        )
        subprocess.run(
            [uv, "pip", "install", "-q", "--python", str(python), *BASE, *packages], check=True
        )
    return python


def _environment(name: str) -> dict[str, str]:
    """A database of its own for each contender."""
    from django.conf import settings
    from django.db import connection

    given: dict[str, Any] = settings.DATABASES["default"]
    database = f"bench_{name.replace('-', '_')}"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{database}"')
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}",
        "DATABASE_NAME": database,
        "DATABASE_USER": str(given["USER"]),
        "DATABASE_HOST": str(given["HOST"]),
        "DATABASE_PORT": str(given["PORT"]),
        "DATABASE_PASSWORD": str(given["PASSWORD"]),
        "QUEUE_URL": settings.QUEUE_URL,
    }


def _measure(contenders: list[Contender], rounds: int) -> tuple[Cpu, Cpu, Cpu]:
    """CPU by contender and page: medians of the process, and the least of process and thread.

    Every round asks all of them in turn. Other work only adds, so the least says what something costs.
    """
    taken: dict[str, dict[str, list[list[float]]]] = {
        c.name: {page: [] for page in TIMES} for c in contenders
    }
    for _ in range(rounds):
        for page in TIMES:
            for contender in contenders:
                taken[contender.name][page].append(contender.cpu(page))

    def summed(how: Callable[[list[float]], float], which: int) -> Cpu:
        return {
            name: {page: how([pair[which] for pair in pairs]) for page, pairs in pages.items()}
            for name, pages in taken.items()
        }

    return summed(statistics.median, 0), summed(min, 0), summed(min, 1)


def _calls(contenders: list[Contender]) -> dict[str, dict[str, float]]:
    """Function calls on the request's own thread, added to the bare ones, a request and a query."""
    found = {
        c.name: {page: c.tell("calls", page)[0] for page in ("none", "fifty")} for c in contenders
    }
    bare = found["bare"]
    return {
        name: {
            "request": pages["none"] - bare["none"],
            "query": (pages["fifty"] - pages["none"] - (bare["fifty"] - bare["none"])) / 50,
        }
        for name, pages in found.items()
    }


def _settled(contenders: list[Contender]) -> Cpu:
    """CPU a request with what threads did behind it, of the least and the most asking page."""
    return {
        c.name: {page: c.tell("settled", page)[0] for page in ("none", "fifty")} for c in contenders
    }


def _ratios(cpu: Cpu) -> dict[str, float]:
    """ "small ours" is the CPU of that page, watched by us, to the bare one's."""
    ratios: dict[str, float] = {}
    for name, pages in cpu.items():
        if name != "bare":
            for page, value in pages.items():
                ratios[f"{page} {name}"] = round(value / cpu["bare"][page], 3)
    return ratios


def _added(cpu: Cpu, name: str) -> dict[str, float]:
    """Microseconds of CPU added to a request and to a statement."""
    mine, bare = cpu[name], cpu["bare"]
    query = (mine["fifty"] - mine["none"] - (bare["fifty"] - bare["none"])) / 50
    return {"request_us": round(mine["none"] - bare["none"], 1), "query_us": round(query, 2)}


def main(arguments: list[str]) -> None:
    rounds = 2 if "--quick" in arguments else 5
    began = time.monotonic()
    with test_database(), ExitStack() as stack:
        contenders = []
        for name in CONTENDERS:
            contender = Contender(name, _environment(name))
            stack.callback(contender.stop)
            contenders.append(contender)
            print(f"{name} is ready ({time.monotonic() - began:.0f} s)")
        calls = _calls(contenders)
        cpu, least, thread = _measure(contenders, rounds)
        figures: dict[str, Any] = {"seconds": 0.0, "calls": calls}
        figures["cpu_us"] = {
            n: {p: round(v, 1) for p, v in pages.items()} for n, pages in cpu.items()
        }
        settled = _settled(contenders)
        others = [name for name in CONTENDERS if name != "bare"]
        figures["added"] = {name: _added(least, name) for name in others}
        figures["added_in_its_thread"] = {name: _added(thread, name) for name in others}
        figures["added_with_threads"] = {name: _added(settled, name) for name in others}
        figures["own"] = own_figures()
        figures["seconds"] = round(time.monotonic() - began, 1)
    ratios = _ratios(cpu)
    for name, added in figures["added"].items():
        more, mine = calls[name], figures["added_with_threads"][name]
        print(
            f"{name:<19} request +{added['request_us']:>7.1f} us ({mine['request_us']:>7.1f} with its "
            f"threads, {more['request']:>5.0f} calls)   query +{added['query_us']:>6.1f} us "
            f"({mine['query_us']:>6.1f}, {more['query']:>6.1f} calls)   small view "
            f"x{ratios[f'small {name}']:.2f}"
        )
    print(json.dumps({"name": "monitoring", "figures": figures, "ratios": ratios}))
