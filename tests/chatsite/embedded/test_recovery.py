"""What kill -9 leaves behind, and processes that come and go at once: the next start copes with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatsite.embedded import EmbeddedError, locks, running
from chatsite.embedded.addresses import LONGEST_SOCKET, socket_dir
from tests.chatsite.embedded.holder import ROOT, Holder, answers
from tests.processes import processes_of, runs, wait_for

CACHE = ("cache",)
COME_AND_GO = """
import sys
from pathlib import Path
import redis
from chatsite.embedded import cache_url, running
data = Path(sys.argv[1])
for _ in range(4):
    with running(data, ("cache",), volatile=True), redis.Redis.from_url(cache_url(data)) as client:
        client.ping()
"""


def pids(data_dir: Path) -> dict[str, int]:
    state = locks.state(data_dir)
    return {"keeper": state["pid"], **state["servers"]}


def test_who_comes_while_others_leave_finds_servers_that_last(data_dir: Path) -> None:
    command = [sys.executable, "-c", COME_AND_GO, str(data_dir)]
    started = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]

    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
    assert wait_for(lambda: not processes_of(data_dir))


def test_who_leaves_last_leaves_no_process(data_dir: Path) -> None:
    with running(data_dir, CACHE, volatile=True):
        started = pids(data_dir).values()

    # The keeper's lock is gone; its process ends a moment later.
    assert wait_for(lambda: not any(runs(pid) for pid in started))


def test_an_orphan_is_ended_before_its_successor_starts(data_dir: Path) -> None:
    with running(data_dir, CACHE, volatile=True) as hold:
        before = pids(data_dir)
        os.kill(before["cache"], signal.SIGSTOP)  # it cannot follow its keeper
        os.kill(before["keeper"], signal.SIGKILL)
        assert wait_for(lambda: not runs(before["keeper"]))

        assert hold.ensure()
        assert not runs(before["cache"])
        assert answers(data_dir)


def test_lock_files_with_a_living_strangers_number_are_no_hindrance(data_dir: Path) -> None:
    with running(data_dir, ("database",), volatile=True):
        pass
    cluster = data_dir / "postgresql"
    owner = cluster.stat()
    for path in (cluster / "postmaster.pid", socket_dir(data_dir) / LONGEST_SOCKET):
        with subprocess.Popen(["sleep", "60"], user=owner.st_uid) as stranger:
            path.write_text(f"{stranger.pid}\n{cluster}\n1\n5432\n\n\n")
            os.chown(path, owner.st_uid, owner.st_gid)
            try:
                with running(data_dir, ("database",), volatile=True):
                    assert runs(stranger.pid)
            finally:
                stranger.kill()


def test_the_reason_of_a_failed_start_reaches_its_holder(data_dir: Path) -> None:
    (data_dir / "postgresql").mkdir()
    (data_dir / "postgresql" / "PG_VERSION").write_text("9\n")

    with (
        pytest.raises(EmbeddedError, match=r"made by PostgreSQL 9, and \d+ is installed"),
        running(data_dir, ("database",), volatile=True),
    ):
        pass
    assert wait_for(lambda: not processes_of(data_dir))


def test_servers_of_a_removed_directory_stop(data_dir: Path) -> None:
    with Holder(data_dir):
        started = pids(data_dir).values()

        (data_dir / locks.USERS).unlink()

        assert wait_for(lambda: not any(runs(pid) for pid in started))
