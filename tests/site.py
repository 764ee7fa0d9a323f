"""The whole site as processes: the web server and a worker, on the test's database and servers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from django.conf import settings
from django.db import connection

from chatsite.up.children import MEMORY
from tests.servers import free_port

ROOT = Path(__file__).parent.parent
START_SECONDS = 90.0  # beside other work


def postgresql_socket() -> str:
    """The socket of the tests' PostgreSQL: what a proxy before it connects to."""
    return f"{connection.settings_dict['HOST']}/.s.PGSQL.{connection.settings_dict['PORT']}"


def database_url(port: int) -> str:
    """The test's database, by a proxy that listens on this port."""
    return f"postgres://{connection.settings_dict['USER']}@127.0.0.1:{port}/{connection.settings_dict['NAME']}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """And what it has started, which would live on."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    for one in family:
        one.kill()
    process.wait()
    psutil.wait_procs(family[1:])


class Site:
    """`with Site(directory) as site:` answers at `site.url`; logs lie in `directory`.

    `chat_backend` is what answers (CHAT_BACKEND); `environment` adds to the processes' own.
    """

    def __init__(
        self,
        directory: Path,
        *,
        chat_backend: str = "tests.backends.ScriptedBackend",
        **environment: str,
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        database = str(connection.settings_dict["NAME"])
        self.environment = {
            **MEMORY,
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "chatsite.settings",
            "DATABASE_URL": f"{settings.DATABASE_URL.rpartition('/')[0]}/{database}",
            "CHAT_BACKEND": chat_backend,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
            # Evaluating locks tables that a test's end empties.
            "ALERTS_ENABLED": "off",
            **environment,
        }
        self.web: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def start_web(self) -> None:
        options = ["--interface", "asgi", "--host", "127.0.0.1", "--port", str(self.port)]
        limits = ["--backpressure", "4096", "--no-ws", "--log-level", "warning"]
        self.web = self._start(
            "web", ["-m", "granian", *options, *limits, "chatsite.asgi:application"]
        )

    def start_worker(self) -> None:
        self.worker = self._start("worker", ["manage.py", "worker"])

    def kill_web(self) -> None:
        """With SIGKILL, and the process that granian has started."""
        assert self.web
        _kill(self.web)

    def kill_worker(self) -> None:
        """With SIGKILL."""
        if self.worker is not None:
            _kill(self.worker)

    def restart_worker(self) -> None:
        """As if it had been killed."""
        self.kill_worker()
        self.start_worker()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urlopen(f"{self.url}/health/live", timeout=5):
                    return
            except (URLError, ConnectionError):
                time.sleep(0.05)
        raise TimeoutError(f"The site did not start:\n{self.log('web')}")

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def _start(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        try:
            self.start_web()
            self.start_worker()
            self.wait_until_ready()
        except BaseException:
            # A worker that lived on would take the jobs of the tests that follow.
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        running = [process for process in (self.web, self.worker) if process is not None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                _kill(process)
