"""The files by which holders and keeper know of each other. The kernel frees a dead process's locks.

users.lock   shared by every holder; the keeper takes it alone to stop the servers
keeper.lock  the keeper's, for as long as it lives
start.lock   of the one holder that starts a keeper
servers.json what the keeper runs: {"pid": .., "servers": {name: pid}}, or {"error": ..}
"""

from __future__ import annotations

import fcntl
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

USERS, KEEPER, START, STATE = "users.lock", "keeper.lock", "start.lock", "servers.json"


def opened(data_dir: Path, name: str) -> IO[Any]:
    """A lock file, made where it is missing. Children do not inherit it."""
    return (data_dir / name).open("a")


def take(file: IO[Any], *, seconds: float = 0.0, shared: bool = False) -> bool:
    """Takes the lock, waiting up to `seconds` for it; False where others still have it."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + seconds
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)


def release(file: IO[Any]) -> None:
    fcntl.flock(file, fcntl.LOCK_UN)


def keeper_lives(data_dir: Path) -> bool:
    try:
        with opened(data_dir, KEEPER) as keeper:
            return not take(keeper)
    except FileNotFoundError:  # somebody removed the whole directory
        return False


def state(data_dir: Path) -> dict[str, Any]:
    """The keeper's last report; empty where there is none."""
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads((data_dir / STATE).read_text())
        return found
    return {}
