"""Who needs the servers: each holder has a shared lock, which the kernel lets go of when it dies."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from chatsite.embedded.addresses import make_directory
from chatsite.embedded.errors import EmbeddedError

START_SECONDS = 60.0
STOP_SECONDS = 30.0
ALL = ("database", "cache", "queue")


@contextmanager
def running(
    data_dir: Path, names: tuple[str, ...] = ALL, *, volatile: bool = False
) -> Iterator[None]:
    """Keeps the servers `names` running while the block runs.

    The last holder returns when they have stopped. `volatile` starts them without any care for
    crashes: for tests. Raises EmbeddedError.
    """
    if not names:
        yield
        return
    try:
        make_directory(data_dir)
        users = (data_dir / "users.lock").open("a")
    except OSError as error:
        raise EmbeddedError(
            f"{data_dir} cannot be written: {error.strerror}. Set DATA_DIR to a directory that can."
        ) from None
    with users:
        # Waits while a keeper that has lost its last holder is stopping the servers.
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            _ensure(data_dir, names, volatile=volatile)
            yield
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            _wait_if_last(data_dir, users)


def keeper_is_running(data_dir: Path) -> bool:
    """A keeper holds its own lock for as long as it lives."""
    with (data_dir / "keeper.lock").open("a") as keeper:
        return not try_lock(keeper)


def try_lock(file: IO[Any]) -> bool:
    """An exclusive lock on `file`, if it is to be had at once."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ensure(data_dir: Path, names: tuple[str, ...], *, volatile: bool) -> None:
    with (data_dir / "start.lock").open("a") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        if not keeper_is_running(data_dir):
            _start_keeper(data_dir, names, volatile=volatile)
        state = _state(data_dir)
    missing = [name for name in names if name not in state.get("servers", ())]
    if missing:
        raise EmbeddedError(
            f"The servers under {data_dir} were started without {', '.join(missing)}, because an "
            "address was given for it then. Stop what uses them, or set the same addresses."
        )


def _start_keeper(data_dir: Path, names: tuple[str, ...], *, volatile: bool) -> None:
    (data_dir / "servers.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "chatsite.embedded.keeper", str(data_dir), ",".join(names)]
    log = data_dir / "keeper.log"
    with log.open("w") as output:
        keeper = subprocess.Popen(
            [*command, *(["--volatile"] if volatile else [])],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the holders; the keeper stops after them
        )
    _wait(lambda: _state(data_dir) or keeper.poll() is not None, START_SECONDS)
    state = _state(data_dir)
    if "servers" not in state:
        keeper.kill()
        keeper.wait()
        raise EmbeddedError(state.get("error") or f"The servers did not start; see {log}.")
    # It outlives this process; poll() in a later wait would otherwise complain of a lost child.
    keeper.returncode = 0


def _state(data_dir: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        state: dict[str, Any] = json.loads((data_dir / "servers.json").read_text())
        return state
    return {}


def _wait_if_last(data_dir: Path, users: IO[Any]) -> None:
    if not try_lock(users):
        return  # another holder, or the keeper, which is stopping them: wait for it as well
    fcntl.flock(users, fcntl.LOCK_UN)
    _wait(lambda: not keeper_is_running(data_dir), STOP_SECONDS)


def _wait(condition: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
