"""`python -m chatsite.embedded.keeper DATA_DIR NAMES`: runs the servers while anyone holds them.

It looks for a free lock some times a second and stops the servers while it has that lock, so that
who comes meanwhile waits and then starts anew. Should it be killed, its children get a signal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from chatsite.embedded import locks
from chatsite.embedded.addresses import home, socket_dir
from chatsite.embedded.directories import make_data_dir, make_ours
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.owner import server_owner
from chatsite.embedded.postgresql import PostgreSQL
from chatsite.embedded.valkey import Valkey

LOOK = 0.1  # seconds
GIVE_UP = 60.0  # seconds for which a server that died may refuse to start again

Server = PostgreSQL | Valkey


class Keeper:
    def __init__(self, data_dir: Path, names: list[str], *, volatile: bool) -> None:
        self.data_dir = data_dir
        self.names = names
        self.volatile = volatile
        self.servers: dict[str, Server] = {}
        self.stopping = False
        self.failing_since = 0.0

    def run(self, users: IO[Any]) -> None:
        """Returns when nobody holds `users` any more, with that lock; the servers are stopped."""
        signal.signal(signal.SIGTERM, self._terminate)
        try:
            self._start()
            while not (self.stopping or locks.take(users) or self._removed(users)):
                time.sleep(LOOK)
                self._revive()
        finally:
            report(self.data_dir)  # who comes now waits for the end
            for server in reversed(self.servers.values()):
                server.stop()

    def _start(self) -> None:
        before = locks.state(self.data_dir).get("servers", {})
        self.servers = _servers(self.data_dir, self.names, volatile=self.volatile)
        for name, server in self.servers.items():
            server.launch(before.get(name, 0))
        for server in self.servers.values():
            server.wait_until_ready()
        self._report()

    def _revive(self) -> None:
        dead = [server for server in self.servers.values() if _is_dead(server)]
        if not dead:
            self.failing_since = 0.0
            return
        self.failing_since = self.failing_since or time.monotonic()
        for server in dead:
            print(f"{server.name} has ended; starting it again.", flush=True)  # noqa: T201
            try:
                server.launch(0)
                server.wait_until_ready()
            except EmbeddedError:
                # What it left behind may need a moment to go.
                if time.monotonic() - self.failing_since > GIVE_UP:
                    raise
        self._report()

    def _report(self) -> None:
        pids = {name: server.process.pid for name, server in self.servers.items() if server.process}
        report(self.data_dir, servers=pids)

    def _removed(self, users: IO[Any]) -> bool:
        """True where the data directory was deleted under us; its servers are of no use then."""
        try:
            return not os.path.samestat(
                (self.data_dir / locks.USERS).stat(), os.fstat(users.fileno())
            )
        except FileNotFoundError:
            return True

    def _terminate(self, *_: object) -> None:
        self.stopping = True


def _is_dead(server: Server) -> bool:
    return server.process is None or server.process.poll() is not None


def _servers(data_dir: Path, names: list[str], *, volatile: bool) -> dict[str, Server]:
    base, sockets = home(data_dir), socket_dir(data_dir)
    owner = server_owner(base / "postgresql")
    if base != data_dir:
        make_ours(base, os.geteuid(), os.getegid(), mode=0o711)
    for directory in (sockets, base / "log"):
        make_ours(directory, owner.uid, owner.gid, mode=0o700)
    made: dict[str, Server] = {
        "database": PostgreSQL(base, sockets, owner, volatile=volatile),
        "cache": Valkey("cache", base, sockets, owner, persistent=False),
        "queue": Valkey("queue", base, sockets, owner, persistent=not volatile),
    }
    return {name: made[name] for name in names}


def report(data_dir: Path, **state: object) -> None:
    """Tells the holders what runs, or why nothing does."""
    fresh = data_dir / f"{locks.STATE}.new"
    with suppress(FileNotFoundError):
        fresh.write_text(json.dumps({"pid": os.getpid(), **state}))
        fresh.rename(data_dir / locks.STATE)


def main(data_dir: Path, names: list[str], *, volatile: bool) -> int:
    # Ctrl-C and hang-ups are for the holders.
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    make_data_dir(data_dir)
    # The kernel closes them at the end, the keeper's lock first: who waits for it to be free
    # finds no process of ours any more.
    keeper, users = locks.opened(data_dir, locks.KEEPER), locks.opened(data_dir, locks.USERS)
    locks.take(keeper, seconds=10)  # a holder may be just looking whether it is taken
    try:
        Keeper(data_dir, names, volatile=volatile).run(users)
    except EmbeddedError as error:
        report(data_dir, error=str(error))
        return 1
    except OSError as error:
        report(data_dir, error=f"The servers cannot run: {error}")
        return 1
    return 0


if __name__ == "__main__":
    status = main(Path(sys.argv[1]), sys.argv[2].split(","), volatile="--volatile" in sys.argv[3:])
    os._exit(status)  # with both locks held, see main()
