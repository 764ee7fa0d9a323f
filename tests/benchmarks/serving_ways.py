"""Ways to serve the site: interface, front, processes, threads and the pool of a process, each with its processes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nginx import MAIN, NGINX

SITE = """
upstream pages {{ server 127.0.0.1:{behind}; keepalive 64; }}
server {{
    listen 127.0.0.1:{port};
    keepalive_requests 1000000;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    location ~ ^/c/[0-9a-f-]+/events/$ {{ return 501; }}
    location / {{ proxy_pass http://pages; }}
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
            text = MAIN.format(site=SITE.format(behind=self.site.port, port=self.port))
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
