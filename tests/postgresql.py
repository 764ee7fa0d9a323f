"""PostgreSQL servers and databases for the tests of the analysis of queries."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from chatsite.embedded.owner import server_owner

DEBIAN = Path("/usr/lib/postgresql/15/bin")
HYPOPG = Path("/usr/share/postgresql/15/extension/hypopg.control")
QUIET = {
    "listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "shared_preload_libraries": "pg_stat_statements", "autovacuum": "off", "shared_buffers": "128MB",
}  # fmt: skip


def missing() -> str:
    """Why Debian's server cannot be used, "" where it can."""
    if not (DEBIAN / "initdb").exists():
        return "Debian's postgresql-15 is not installed"
    return "" if HYPOPG.exists() else "Debian's postgresql-15-hypopg is not installed"


@contextmanager
def debian() -> Iterator[dict[str, Any]]:
    """A throw-away PostgreSQL 15 with HypoPG on a socket; yields how to connect."""
    with tempfile.TemporaryDirectory(prefix="pg15") as name:
        home = Path(name)
        owner = server_owner(home)
        shutil.chown(home, owner.uid, owner.gid)
        made = owner.run(
            [DEBIAN / "initdb", "-D", home / "data", "-U", "chat", "-A", "trust", "--no-sync",
             "--encoding=UTF8", "--locale=C.UTF-8"]
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        options = [f"--{key}={value}" for key, value in QUIET.items()]
        command = [
            DEBIAN / "postgres",
            "-D",
            home / "data",
            f"--unix_socket_directories={home}",
            *options,
        ]
        process = owner.spawn(command, log=home / "log", on_parent_death=signal.SIGQUIT)
        try:
            place = {"host": str(home), "user": "chat", "dbname": "postgres"}
            _wait(place, process)
            yield place
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(20)


def _wait(place: dict[str, Any], process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        try:
            psycopg.connect(**place).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL 15 ended"
            time.sleep(0.02)
        else:
            return
    raise AssertionError("PostgreSQL 15 does not answer")


def embedded() -> dict[str, Any]:
    """How to connect to the tests' own PostgreSQL 18."""
    found = settings.DATABASES["default"]
    return {
        "host": found["HOST"], "port": found["PORT"] or None, "user": found["USER"],
        "password": found["PASSWORD"] or None, "dbname": "postgres",
    }  # fmt: skip


@contextmanager
def scratch(place: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """A database of its own on a server, dropped afterwards."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(**place, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield {**place, "dbname": name}
    finally:
        with psycopg.connect(**place, autocommit=True) as connection:
            connection.execute(drop)
