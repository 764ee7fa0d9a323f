"""Who serves the pages best: interface, front, processes, threads and database connections, on these cores.

python -m tests.benchmarks serving [--seconds 2] [--rounds 3]

Each way of serving answers the same page to 16 connections that stay open; the ways take turns. `asgi` is the
site's own root (pages hop to a thread), `wsgi` is granian without it, which cannot serve streams. A front
splits requests by path between a wsgi and an asgi service of their own: `nginx`, or `python`, an ASGI app
that passes requests on. The page is a conversation of 50 messages from the cache; the ways with a pool
get a page that asks the database. Clients, PostgreSQL and Valkey are on the same cores, so requests a second
are below what a machine of its own would do; CPU a request, the fronts' included, is what the choice costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.servers import test_database

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIGURATION = """
daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    upstream pages {{ server 127.0.0.1:{behind}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000;
        proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
        location ~ ^/c/[0-9a-f-]+/events/$ {{ return 501; }}
        location / {{ proxy_pass http://pages; }}
    }}
}}
"""


@dataclass(frozen=True)
class Way:
    """`front` stands before the service; `pool` is the most database connections of a process."""

    interface: str
    processes: int
    threads: int
    front: str = ""
    pool: int = 0


WAYS = {
    "asgi, 1 process, 1 thread": Way("asgi", 1, 1),
    "asgi, 1 process, 2 threads": Way("asgi", 1, 2),
    "asgi, 1 process, 4 threads": Way("asgi", 1, 4),
    "asgi, 1 process, 8 threads": Way("asgi", 1, 8),
    "asgi, 2 processes, 2 threads": Way("asgi", 2, 2),
    "asgi, 2 processes, 4 threads": Way("asgi", 2, 4),
    "wsgi, 1 process, 4 threads": Way("wsgi", 1, 4),
    "wsgi, 2 processes, 2 threads": Way("wsgi", 2, 2),
    "nginx, asgi, 1 process, 4 threads": Way("asgi", 1, 4, "nginx"),
    "nginx, wsgi, 1 process, 4 threads": Way("wsgi", 1, 4, "nginx"),
    "python, wsgi, 1 process, 4 threads": Way("wsgi", 1, 4, "python"),
    "asgi, 4 threads, pool of 1": Way("asgi", 1, 4, pool=1),
    "asgi, 4 threads, pool of 2": Way("asgi", 1, 4, pool=2),
    "asgi, 4 threads, pool of 4": Way("asgi", 1, 4, pool=4),
    "asgi, 4 threads, pool of 6": Way("asgi", 1, 4, pool=6),
}
SHIPPED = {False: "asgi, 1 process, 4 threads", True: "asgi, 4 threads, pool of 6"}
MEASURED = ("pages_a_second", "cpu_us", "memory_mb")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="serving")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory), options.seconds, options.rounds)
    print(f"{'way':36} {'pages/s':>8} {'CPU us':>8} {'MB':>6}")
    for name, row in found.items():
        print(f"{name:36} {row['pages_a_second']:8} {row['cpu_us']:8} {row['memory_mb']:6}")
    print(json.dumps({"name": "serving", "figures": found, "ratios": ratios(found)}))


def ratios(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Each way to the shipped one that answers the same page."""
    return {
        f"{name}: {what} to the shipped": round(
            row[what] / found[SHIPPED[bool(WAYS[name].pool)]][what], 2
        )
        for name, row in found.items()
        for what in ("pages_a_second", "cpu_us")
    }


class Server:
    """One way of serving with its processes."""

    def __init__(self, directory: Path, way: Way) -> None:
        from tests.site import Site

        directory.mkdir()
        pool = {"POOL": str(way.pool)} if way.pool else {}
        self.site = Site(
            directory,
            LOG_LEVEL="ERROR",
            WEB_THREADS=str(way.threads),
            DJANGO_SETTINGS_MODULE="tests.benchmarks.serving_settings",
            **pool,
        )
        self.front: subprocess.Popen[bytes] | None = None
        self.port = self.site.port
        self._log = (directory / "web.log").open("wb")
        self.site.web = self._granian(self.site.port, way.interface, way)
        if way.front:
            self._put_before(directory, way.front)

    def processes(self) -> list[Any]:
        import psutil

        parents = [psutil.Process(one.pid) for one in (self.site.web, self.front) if one]
        return [process for one in parents for process in (one, *one.children(recursive=True))]

    def cpu(self) -> float:
        return float(sum(sum(process.cpu_times()[:2]) for process in self.processes()))

    def memory(self) -> float:
        return float(sum(process.memory_info().rss for process in self.processes()) / 2**20)

    def stop(self) -> None:
        if self.front is not None:
            self.front.terminate()
            self.front.wait()
        self.site.__exit__(None, None, None)
        self._log.close()

    def _put_before(self, directory: Path, front: str) -> None:
        from tests.servers import free_port

        self.port = free_port()
        if front == "nginx":
            text = CONFIGURATION.format(behind=self.site.port, port=self.port)
            (directory / "nginx.conf").write_text(text)
            command = [str(NGINX), "-p", str(directory), "-c", "nginx.conf", "-e", "error.log"]
            self.front = subprocess.Popen(command, stderr=self._log)
        else:
            app = "tests.benchmarks.front:application"
            self.front = self._granian(self.port, "asgi", Way("asgi", 1, 1), app)

    def _granian(
        self, port: int, interface: str, way: Way, app: str = ""
    ) -> subprocess.Popen[bytes]:
        place = ["--interface", interface, "--host", "127.0.0.1", "--port", str(port)]
        threads = ["--blocking-threads", str(way.threads)] if interface == "wsgi" else []
        app = app or f"chatsite.{interface}:application"
        command = [
            "-m",
            "granian",
            *place,
            "--workers",
            str(way.processes),
            *threads,
            "--no-ws",
            app,
        ]
        environment = self.site.environment | {"BEHIND": str(self.site.port)}
        return subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=self._log, stderr=self._log
        )


def measure(directory: Path, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    from tests.benchmarks.pages import seeded, signed_in

    user, conversations = seeded()
    cookie = signed_in(user)
    own = f"/c/{conversations['short'].pk}/"
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        for name, way in WAYS.items():
            if way.front == "nginx" and NGINX is None:
                continue
            with ExitStack() as stack:
                server = Server(directory / f"{number} {name}", way)
                stack.callback(server.stop)
                path = f"{own}rename/" if way.pool else own
                row = asyncio.run(asked(server, path, cookie, seconds))
                kept = found.setdefault(name, {what: [] for what in MEASURED})
                for what, value in zip(MEASURED, row, strict=True):
                    kept[what].append(value)
    return {
        name: {what: round(statistics.median(values), 1) for what, values in row.items()}
        for name, row in found.items()
    }


async def asked(
    server: Server, path: str, cookie: str, seconds: float
) -> tuple[float, float, float]:
    """What is MEASURED, once the caches are warm."""
    from tests.benchmarks.load import Client, capacity
    from tests.benchmarks.start import answered

    await asyncio.to_thread(answered, server.port, "/health/live")
    client = Client(server.port, path, cookie)
    await capacity(client, 0.5)
    before = server.cpu()
    rate = await capacity(client, seconds)
    used = server.cpu() - before
    client.close()
    return rate, 1e6 * used / (rate * seconds), server.memory()
