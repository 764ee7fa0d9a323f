from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from chatsite.embedded import EmbeddedError, running
from chatsite.embedded.addresses import socket_dir
from tests.chatsite.embedded.holder import Holder, answers
from tests.processes import processes_of, wait_for


def test_a_server_that_dies_is_started_again(data_dir: Path) -> None:
    with Holder(data_dir):
        [server] = [pid for pid, name in processes_of(data_dir).items() if "valkey-server" in name]
        os.kill(server, signal.SIGKILL)
        assert wait_for(lambda: not Path(f"/proc/{server}").exists())
        assert wait_for(lambda: answers(data_dir))


def test_a_stale_socket_is_cleared(data_dir: Path) -> None:
    directory = socket_dir(data_dir)
    directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(str(directory / "cache.sock"))
    with Holder(data_dir):
        assert answers(data_dir)


def test_sockets_are_private(data_dir: Path) -> None:
    with Holder(data_dir):
        assert socket_dir(data_dir).stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_users_directory_is_refused(data_dir: Path) -> None:
    directory = socket_dir(data_dir)
    directory.mkdir()
    os.chown(directory, 54321, 54321)
    with (
        pytest.raises(EmbeddedError, match="made by another user"),
        running(data_dir, ("cache",), volatile=True),
    ):
        pass
