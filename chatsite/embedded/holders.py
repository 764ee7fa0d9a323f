"""Who needs the servers: each holder has a shared lock, which the kernel frees when it dies."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from chatsite.embedded import locks
from chatsite.embedded.directories import make_data_dir
from chatsite.embedded.errors import EmbeddedError

START_SECONDS = 120.0  # crash recovery and a slow disk included
STOP_SECONDS = 60.0
ALL = ("database", "cache", "queue")


@dataclass
class Hold:
    """A holder's claim on the servers `names` of one data directory."""

    data_dir: Path
    names: tuple[str, ...]
    volatile: bool = False
    _keeper: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def ensure(self) -> bool:
        """Starts the servers where nobody runs them; True if it did. Raises EmbeddedError.

        For a long-lived holder to call now and then: the keeper may have been killed.
        """
        if not self.names:
            return False
        with locks.opened(self.data_dir, locks.START) as start:
            locks.take(start, seconds=START_SECONDS)
            wait(self._is_settled, STOP_SECONDS)
            began = not locks.keeper_lives(self.data_dir)
            if began:
                self._start()
        self._check(locks.state(self.data_dir).get("servers", {}))
        return began

    def _is_settled(self) -> bool:
        """False while a keeper is stopping the servers."""
        return "servers" in locks.state(self.data_dir) or not locks.keeper_lives(self.data_dir)

    def _start(self) -> None:
        if self._keeper is not None:
            self._keeper.poll()  # that it was killed is known; this takes it off the process table
        command = [sys.executable, "-m", "chatsite.embedded.keeper", str(self.data_dir)]
        command += [",".join(self.names), *(["--volatile"] if self.volatile else [])]
        log = self.data_dir / "keeper.log"
        with log.open("w") as output:
            keeper = subprocess.Popen(
                command,
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the holders; the keeper stops after them
            )

        def reported() -> bool:
            found = locks.state(self.data_dir)
            # A keeper that fails says that it is stopping before it says why.
            return found.get("pid") == keeper.pid and bool({"servers", "error"} & found.keys())

        try:
            wait(lambda: reported() or keeper.poll() is not None, START_SECONDS)
        except BaseException:  # Ctrl-C: it may not even have its lock yet for leave() to see
            keeper.terminate()
            keeper.wait(STOP_SECONDS)
            raise
        state = locks.state(self.data_dir) if reported() else {}
        if "servers" not in state:
            keeper.kill()
            keeper.wait()
            raise EmbeddedError(state.get("error") or f"The servers do not start; see {log}.")
        self._keeper = keeper

    def _check(self, running: dict[str, int]) -> None:
        missing = [name for name in self.names if name not in running]
        if missing:
            raise EmbeddedError(
                f"The servers under {self.data_dir} run without {', '.join(missing)}: who started "
                "them had another address for it. Stop that process, or set the same addresses."
            )

    def leave(self, users: IO[Any]) -> None:
        """Lets go of `users`; the last holder waits until the servers have stopped."""
        locks.release(users)
        wait(lambda: not locks.keeper_lives(self.data_dir) or _held(users), STOP_SECONDS)
        if self._keeper is not None and self._keeper.poll() is None:
            self._keeper.returncode = 0  # it serves others now; Python would warn of a lost child


def _held(users: IO[Any]) -> bool:
    """True where there are other holders; the keeper, which takes the lock alone, is none."""
    if locks.take(users):
        locks.release(users)
        return False
    if locks.take(users, shared=True):
        locks.release(users)
        return True
    return False


@contextmanager
def running(
    data_dir: Path, names: tuple[str, ...] = ALL, *, volatile: bool = False
) -> Iterator[Hold]:
    """Keeps the servers `names` running while the block runs.

    The last holder returns when they have stopped. `volatile` starts them without any care for
    crashes: for tests. Raises EmbeddedError.
    """
    hold = Hold(data_dir, names, volatile)
    if not names:
        yield hold
        return
    make_data_dir(data_dir)
    with locks.opened(data_dir, locks.USERS) as users:
        # A keeper that has lost its last holder has it while it stops the servers.
        if not locks.take(users, shared=True, seconds=STOP_SECONDS):
            raise EmbeddedError(f"The servers under {data_dir} do not stop; see its keeper.log.")
        try:
            hold.ensure()
            yield hold
        finally:
            hold.leave(users)


def wait(condition: Callable[[], object], seconds: float) -> bool:
    """Waits until `condition`, looking often; False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
