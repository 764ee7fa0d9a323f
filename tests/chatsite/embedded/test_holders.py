from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatsite.embedded import EmbeddedError, locks, running
from tests.chatsite.embedded.holder import Holder, answers
from tests.processes import processes_of, wait_for


def keeper(data_dir: Path) -> int:
    pid: int = locks.state(data_dir)["pid"]
    return pid


def test_the_last_holder_stops_the_servers(data_dir: Path) -> None:
    with Holder(data_dir), Holder(data_dir) as second:
        second.let_go()
        assert answers(data_dir)
    assert not answers(data_dir)
    assert not processes_of(data_dir)


def test_four_at_once_share_one_keeper(data_dir: Path) -> None:
    with ExitStack() as stack:
        for holder in [Holder(data_dir) for _ in range(4)]:
            stack.enter_context(holder)
        commands = list(processes_of(data_dir).values())
        assert sum("valkey-server" in command for command in commands) == 1
        assert sum("chatsite.embedded.keeper" in command for command in commands) == 1


def test_servers_stop_after_a_holder_that_was_killed(data_dir: Path) -> None:
    with Holder(data_dir) as holder:
        holder.kill()
        assert wait_for(lambda: not processes_of(data_dir))


def test_a_killed_keeper_takes_its_servers_along_and_the_next_holder_starts_anew(
    data_dir: Path,
) -> None:
    with Holder(data_dir):
        first = keeper(data_dir)
        os.kill(first, signal.SIGKILL)
        assert wait_for(lambda: not answers(data_dir))
        with Holder(data_dir):
            assert answers(data_dir)
            assert keeper(data_dir) != first


def test_a_holder_that_lasts_gets_its_servers_back(data_dir: Path) -> None:
    with running(data_dir, ("cache",), volatile=True) as hold:
        assert not hold.ensure()
        os.kill(keeper(data_dir), signal.SIGKILL)
        assert wait_for(lambda: not locks.keeper_lives(data_dir))
        assert hold.ensure()
        assert answers(data_dir)


def test_a_server_that_was_not_started_is_named(data_dir: Path) -> None:
    with Holder(data_dir), pytest.raises(EmbeddedError, match="without queue"):
        running(data_dir, ("queue",)).__enter__()


def test_nothing_runs_for_nobody(data_dir: Path) -> None:
    with running(data_dir, ()):
        assert not processes_of(data_dir)


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="set DATA_DIR"), running(tmp_path / "file" / "data"):
        pass


def test_an_interrupted_start_leaves_nothing(data_dir: Path) -> None:
    holder = Holder(data_dir)
    assert wait_for(lambda: (data_dir / "keeper.lock").exists())
    assert wait_for(lambda: locks.keeper_lives(data_dir))
    holder.kill()
    assert wait_for(lambda: not processes_of(data_dir))
    for stream in (holder.process.stdin, holder.process.stdout):
        assert stream
        stream.close()
