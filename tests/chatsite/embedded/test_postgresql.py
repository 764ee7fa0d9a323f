from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chatsite.embedded import database_url
from chatsite.embedded import postgresql as module
from chatsite.embedded.addresses import socket_dir
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.owner import server_owner
from chatsite.embedded.postgresql import PostgreSQL
from tests.chatsite.embedded.holder import Holder
from tests.processes import processes_of, wait_for


@pytest.fixture(scope="module")
def cluster(shared_data_dir: Path) -> Iterator[Path]:
    """A data directory, and in it a cluster with one row; its name is too long for a socket."""
    path = shared_data_dir / ("long" * 30)
    path.mkdir(mode=0o711)
    with Holder(path, "database"):
        query(path, "CREATE TABLE kept (value int)")
        query(path, "INSERT INTO kept VALUES (7)")
    yield path
    shutil.rmtree(socket_dir(path), ignore_errors=True)


def query(data_dir: Path, statement: Any) -> list[Any]:
    with psycopg.connect(database_url(data_dir), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return [row[0] for row in cursor] if cursor.description else []


def kept(data_dir: Path) -> bool:
    try:
        return query(data_dir, "SELECT value FROM kept") == [7]
    except psycopg.OperationalError:
        return False


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgresql" / "postmaster.pid").read_text().splitlines()[0])


def test_what_was_written_is_there_after_a_stop(cluster: Path) -> None:
    with Holder(cluster, "database"):
        assert kept(cluster)


def test_a_killed_server_comes_back(cluster: Path) -> None:
    with Holder(cluster, "database"):
        first = postmaster(cluster)
        os.kill(first, signal.SIGKILL)
        assert wait_for(lambda: postmaster(cluster) != first)
        assert wait_for(lambda: kept(cluster))


def test_everything_killed_at_once_leaves_a_pid_file_and_socket_that_do_no_harm(
    cluster: Path,
) -> None:
    with Holder(cluster, "database") as holder:
        everybody = processes_of(cluster)
        keepers = [pid for pid, command in everybody.items() if "embedded.keeper" in command]
        for pid in [*keepers, postmaster(cluster), *everybody]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        holder.kill()
    assert wait_for(lambda: not processes_of(cluster))
    assert (cluster / "postgresql" / "postmaster.pid").exists()
    with Holder(cluster, "database"):
        assert kept(cluster)


def test_volatile_does_not_wait_for_the_disk(cluster: Path) -> None:
    with Holder(cluster, "database"):
        assert query(cluster, "SHOW fsync") == ["off"]


def test_the_log_keeps_no_parameters(cluster: Path) -> None:
    with Holder(cluster, "database"):
        assert query(cluster, "SHOW log_parameter_max_length") == ["0"]


def test_no_room_says_how_much_is_wanted(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOM", 1 << 60)
    owner = server_owner(data_dir / "postgresql")
    server = PostgreSQL(data_dir, data_dir / "run", owner, volatile=True)
    with pytest.raises(EmbeddedError, match="MB left"):
        server.launch(0)


def test_a_missing_wheel_is_said_with_what_to_do(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    owner = server_owner(data_dir / "postgresql")
    with pytest.raises(EmbeddedError, match=r"make run.*or set DATABASE_URL"):
        PostgreSQL(data_dir, data_dir / "run", owner, volatile=True)


def test_letters_beyond_ascii_are_letters_to_case_and_trigrams(cluster: Path) -> None:
    with Holder(cluster, "database"):
        query(cluster, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
        assert query(cluster, "SELECT lower('\u041f\u0420\u0418\u0412\u0415\u0422 \u00dcBER')") == [
            "\u043f\u0440\u0438\u0432\u0435\u0442 \u00fcber"
        ]
        assert query(
            cluster,
            "SELECT similarity('\u0442\u0435\u0441\u0442', '\u0442\u0435\u0441\u0442 \u043c\u0438\u0440') > 0.4",
        ) == [True]


def test_a_long_log_is_put_aside(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = data_dir / "postgresql.log"
    log.write_text("words")
    assert module._shorten(log) == 5
    monkeypatch.setattr(module, "LOG_LIMIT", 3)
    assert module._shorten(log) == 0
    assert [path.name for path in data_dir.iterdir()] == ["postgresql.old.log"]
