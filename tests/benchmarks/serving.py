"""Who serves a conversation page best: processes, threads, and the interface, on these cores.

python -m tests.benchmarks serving [--seconds 4] [--rounds 5]

Each way of serving answers the same page to 16 connections that stay open; the ways take turns. `asgi` is the
site's own root (pages hop to a thread), `wsgi` is granian without it, which cannot serve streams. The
clients, PostgreSQL and Valkey are on the same cores, so requests a second are below what a machine of its own
would do; CPU a request is what the choice costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.servers import test_database

WAYS = {
    "asgi, 1 process, 1 thread": ("asgi", 1, 1),
    "asgi, 1 process, 2 threads": ("asgi", 1, 2),
    "asgi, 1 process, 4 threads": ("asgi", 1, 4),
    "asgi, 1 process, 8 threads": ("asgi", 1, 8),
    "asgi, 2 processes, 2 threads": ("asgi", 2, 2),
    "asgi, 2 processes, 4 threads": ("asgi", 2, 4),
    "wsgi, 1 process, 4 threads": ("wsgi", 1, 4),
    "wsgi, 2 processes, 2 threads": ("wsgi", 2, 2),
}
SHIPPED = "asgi, 1 process, 4 threads"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="serving")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory), options.seconds, options.rounds)
    print(f"{'way':32} {'pages/s':>8} {'CPU us':>8} {'MB':>6}")
    for name, row in found.items():
        print(f"{name:32} {row['pages_a_second']:8} {row['cpu_us']:8} {row['memory_mb']:6}")
    ours = found[SHIPPED]
    ratios = {
        f"{name}: {what} to the shipped": round(row[what] / ours[what], 2)
        for name, row in found.items()
        for what in ("pages_a_second", "cpu_us")
    }
    print(json.dumps({"name": "serving", "figures": found, "ratios": ratios}))


class Way:
    """One web server with its processes and threads."""

    def __init__(self, directory: Path, interface: str, processes: int, threads: int) -> None:
        from tests.site import Site

        directory.mkdir()
        self.site = Site(directory, LOG_LEVEL="ERROR", WEB_THREADS=str(threads))
        place = ["--interface", interface, "--host", "127.0.0.1", "--port", str(self.site.port)]
        wsgi = ["--blocking-threads", str(threads)] if interface == "wsgi" else []
        app = f"chatsite.{interface}:application"
        command = ["-m", "granian", *place, "--workers", str(processes), *wsgi, "--no-ws", app]
        with (directory / "web.log").open("wb") as log:
            self.site.web = subprocess.Popen(
                [sys.executable, *command], env=self.site.environment, stdout=log, stderr=log
            )

    def processes(self) -> list[Any]:
        import psutil

        assert self.site.web is not None
        parent = psutil.Process(self.site.web.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu(self) -> float:
        return float(sum(sum(process.cpu_times()[:2]) for process in self.processes()))

    def stop(self) -> None:
        self.site.__exit__(None, None, None)


def measure(directory: Path, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    from django.conf import settings
    from django.test import Client as Browser

    from tests.benchmarks.load import Client, capacity
    from tests.benchmarks.pages import seeded

    user, conversations = seeded()
    browser = Browser()
    browser.force_login(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies['sessionid'].value}"
    path = f"/c/{conversations['short'].pk}/"
    found: dict[str, dict[str, list[float]]] = {
        name: {"pages_a_second": [], "cpu_us": [], "memory_mb": []} for name in WAYS
    }
    for number in range(rounds):
        for name, way in WAYS.items():
            with ExitStack() as stack:
                server = Way(directory / f"{number} {name}", *way)
                stack.callback(server.stop)
                server.site.wait_until_ready()
                client = Client(server.site.port, path, cookie)

                async def run(server: Way = server, client: Client = client) -> tuple[float, float]:
                    await capacity(client, 1)
                    before = server.cpu()
                    rate = await capacity(client, seconds)
                    client.close()
                    return rate, server.cpu() - before

                rate, cpu = asyncio.run(run())
                found[name]["pages_a_second"].append(rate)
                found[name]["cpu_us"].append(1e6 * cpu / (rate * seconds))
                memory = sum(process.memory_info().rss for process in server.processes())
                found[name]["memory_mb"].append(memory / 2**20)
    return {
        name: {what: round(statistics.median(values), 1) for what, values in row.items()}
        for name, row in found.items()
    }
