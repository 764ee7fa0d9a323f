"""Which user runs the servers, and how a child process becomes that user and dies with its parent."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatsite.embedded.addresses import passable
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.parent import die_with_parent

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
        keeper = os.getpid()
        with log.open("ab") as output:
            return subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # The user's change would clear it, and comes before. The keeper has one thread.
                preexec_fn=lambda: die_with_parent(keeper, on_parent_death),  # noqa: PLW1509
                **self._surroundings(),
            )

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end and returns its output; never raises for a failure."""
        return subprocess.run(
            list(command), capture_output=True, text=True, check=False, **self._surroundings()
        )

    def _surroundings(self) -> dict[str, Any]:
        # PGPORT, PGDATA, LC_ALL and their like would change what the servers do.
        found = {"cwd": "/", "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}}
        if os.geteuid():
            return found
        return {**found, "user": self.uid, "group": self.gid, "extra_groups": []}


def server_owner(data: Path) -> Owner:
    """This process's user; where that is root, the one that owns `data`, or an unprivileged one.

    `nobody` may share its rights with other daemons on this machine, so it comes last.
    """
    if os.geteuid():
        return Owner(_named(os.geteuid()), os.getegid())
    if data.exists() and data.stat().st_uid:
        return Owner(data.stat().st_uid, data.stat().st_gid)
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


def _named(uid: int) -> int:
    """`uid`, if the machine knows a name for it; PostgreSQL wants one. Raises EmbeddedError."""
    try:
        return pwd.getpwuid(uid).pw_uid
    except KeyError:
        raise EmbeddedError(
            f"User id {uid} has no name on this machine, and PostgreSQL asks for it. Add one to "
            "/etc/passwd, or set DATABASE_URL, CACHE_URL and QUEUE_URL."
        ) from None


def reachable(package: Path, program: str, base: Path) -> Path:
    """`program` of an installed package; in a copy under `base` where its user cannot get there."""
    if os.geteuid() or passable(package / program):
        return package / program
    copy = base / "packages" / package.name
    if not copy.exists() or copy.stat().st_mtime < package.stat().st_mtime:
        _copy(package, copy)
    return copy / program


def _copy(package: Path, copy: Path) -> None:
    unfinished = copy.with_suffix(".copying")
    for old in (unfinished, copy):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(package, unfinished, symlinks=True)
    for path in [copy.parent, unfinished, *unfinished.rglob("*")]:
        if not path.is_symlink():
            executable = path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    unfinished.rename(copy)
