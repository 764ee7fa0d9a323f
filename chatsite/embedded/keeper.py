"""`python -m chatsite.embedded.keeper DATA_DIR NAMES`: runs the servers while anyone holds them.

It looks for a free lock a few times a second and stops the servers while holding it, so that who
comes meanwhile waits and then starts anew. It dies last: its children get a signal if it is killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

from chatsite.embedded.addresses import home, make_directory, socket_dir
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.holders import try_lock
from chatsite.embedded.owner import Owner, server_owner
from chatsite.embedded.postgresql import PostgreSQL
from chatsite.embedded.valkey import Valkey

LOOK = 0.2  # seconds

Server = PostgreSQL | Valkey


def main(data_dir: Path, names: list[str], *, volatile: bool) -> int:
    # Ctrl-C and hang-ups are for the holders.
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    with (
        (data_dir / "keeper.lock").open("a") as keeper,
        (data_dir / "users.lock").open("a") as users,
    ):
        if not try_lock(keeper):
            return 0
        started: list[Server] = []
        try:
            for server in _servers(data_dir, names, volatile=volatile):
                started.append(server)
                server.start()
            _report(data_dir, servers=names)
            _keep(started, users.fileno())
        except EmbeddedError as error:
            _report(data_dir, error=str(error))
            return 1
        finally:
            for server in reversed(started):
                server.stop()
            (data_dir / "servers.json").unlink(missing_ok=True) if started else None
    return 0


def _servers(data_dir: Path, names: list[str], *, volatile: bool) -> list[Server]:
    owner = server_owner()
    base, sockets = home(data_dir), socket_dir(data_dir)
    _private(base, 0o711)
    for directory in (sockets, base / "log"):
        _own(directory, owner)
    made: dict[str, Server] = {
        "database": PostgreSQL(base, sockets, owner, volatile=volatile),
        "cache": Valkey("cache", base, sockets, owner, persistent=False),
        "queue": Valkey("queue", base, sockets, owner, persistent=not volatile),
    }
    return [made[name] for name in names]


def _private(path: Path, mode: int) -> None:
    try:
        make_directory(path, mode=mode)
    except OSError as error:
        raise EmbeddedError(f"{path} cannot be made: {error.strerror}.") from None


def _own(path: Path, owner: Owner) -> None:
    """A directory of the servers' user alone; in a shared /tmp somebody else may own the name."""
    _private(path, 0o700)
    if path.stat().st_uid not in {os.geteuid(), owner.uid} or path.is_symlink():
        raise EmbeddedError(f"{path} belongs to another user; remove it or set DATA_DIR elsewhere.")
    if os.geteuid() == 0:
        os.chown(path, owner.uid, owner.gid)
    path.chmod(0o700)


def _keep(servers: list[Server], users: int) -> None:
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while not stopping:
        time.sleep(LOOK)
        for server in servers:
            server.restart_if_dead()
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return


def _report(data_dir: Path, **state: object) -> None:
    fresh = data_dir / "servers.json.new"
    fresh.write_text(json.dumps({"pid": os.getpid(), **state}))
    fresh.rename(data_dir / "servers.json")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2].split(","), volatile="--volatile" in sys.argv[3:]))
