"""The whole of `manage.py up`, as a process: these start six servers each, which takes seconds."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from chatsite.up import Options
from tests.processes import processes_of, wait_for
from tests.servers import free_port

ROOT = Path(__file__).parents[3]
OURS = (
    "DATABASE_URL",
    "CACHE_URL",
    "QUEUE_URL",
    "DATA_DIR",
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
)


class Up:
    """One `manage.py up` and what it has printed so far."""

    def __init__(self, data_dir: Path, port: int) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in OURS}
        self.output = data_dir.with_suffix(f".{port}.txt")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(port)],
                cwd=ROOT,
                env={**environment, "DATA_DIR": str(data_dir)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def said(self) -> str:
        return self.output.read_text()

    def is_open(self) -> bool:
        assert self.process.poll() is None, self.said()
        return "Ctrl-C" in self.said()

    def end(self, sent: signal.Signals) -> int:
        self.process.send_signal(sent)
        return self.process.wait(20)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def up(shared_data_dir: Path, port: int) -> Iterator[Up]:
    started = Up(shared_data_dir, port)
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGTERM)
    started.output.unlink()


@pytest.mark.slow(reason="starts the whole site")
def test_it_answers_and_a_signal_leaves_nothing(up: Up, port: int, shared_data_dir: Path) -> None:
    assert wait_for(up.is_open, 60), up.said()
    with urlopen(f"http://127.0.0.1:{port}/health/live") as response:
        assert response.status == 200
    assert up.end(signal.SIGTERM) == 0, up.said()
    assert not processes_of(shared_data_dir)
    assert "Traceback" not in up.said()


@pytest.mark.slow(reason="starts the whole site")
def test_killed_it_leaves_nothing_either(up: Up, shared_data_dir: Path) -> None:
    assert wait_for(up.is_open, 60), up.said()
    up.end(signal.SIGKILL)
    assert wait_for(lambda: not processes_of(shared_data_dir), 15), processes_of(shared_data_dir)


def test_interrupted_while_it_starts_it_leaves_nothing(up: Up, shared_data_dir: Path) -> None:
    assert wait_for(lambda: "PostgreSQL" in up.said(), 30)
    assert up.end(signal.SIGINT) == 0, up.said()
    assert not processes_of(shared_data_dir)
    assert "Stopped before it was ready." in up.said()


def test_a_taken_port_is_named_with_the_way_out(shared_data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = Up(shared_data_dir, port)
        assert refused.process.wait(30) == 1
    assert f"Port {port} on 127.0.0.1 is taken" in refused.said()
    assert f"PORT={port + 1} make run" in refused.said()
    assert "Traceback" not in refused.said()
    refused.output.unlink()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("chat.example.org", "http://chat.example.org:8000/"),
    ],
)
def test_the_url_is_one_that_a_browser_here_can_open(host: str, url: str) -> None:
    assert Options(host=host).url == url
