"""Which user runs the servers, and how a child process becomes that user and dies with its parent."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatsite.embedded.addresses import passable
from chatsite.embedded.errors import EmbeddedError

PR_SET_PDEATHSIG = 1  # prctl(2)
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Owner:
    """A user id and group id; ours, unless we are root."""

    uid: int
    gid: int

    def spawn(
        self, command: Sequence[str | Path], *, log: Path, on_parent_death: signal.Signals
    ) -> subprocess.Popen[bytes]:
        """Starts a server that gets `on_parent_death` should this process be killed (Linux)."""
        with log.open("ab") as output:
            return subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                # After the change of user, which would clear it; the keeper has a single thread.
                preexec_fn=lambda: _die_with_parent(on_parent_death),  # noqa: PLW1509
                **self._identity(),
            )

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end and returns its output; never raises for a failure."""
        return subprocess.run(
            list(command), capture_output=True, text=True, check=False, cwd="/", **self._identity()
        )

    def _identity(self) -> dict[str, Any]:
        if os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_owner() -> Owner:
    """This process's user, or an unprivileged one where that is root."""
    if os.geteuid():
        return Owner(os.geteuid(), os.getegid())
    for name in CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(found.pw_uid, found.pw_gid)
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and there is no user {' or '.join(CANDIDATES)} to run "
        "it as. Start as another user, or set DATABASE_URL, CACHE_URL and QUEUE_URL."
    )


def reachable(package: Path, base: Path) -> Path:
    """`package`, or a copy of it under `base` where the servers' user cannot reach the original."""
    if os.geteuid() or passable(package):
        return package
    copy = base / "packages" / package.name
    if not copy.exists():
        unfinished = copy.with_suffix(".copying")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package, unfinished, symlinks=True)
        unfinished.rename(copy)
    return copy


def _die_with_parent(sent: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sent)
    for ignored in (signal.SIGINT, signal.SIGHUP):  # SIG_IGN would be inherited
        signal.signal(ignored, signal.SIG_DFL)
