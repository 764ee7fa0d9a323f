"""A data directory of its own for tests that start, kill and restart the embedded servers."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chatsite.embedded.addresses import socket_dir
from tests.processes import processes_of


@pytest.fixture(scope="module")
def shared_data_dir() -> Iterator[Path]:
    yield from _data_dir()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    yield from _data_dir()


def _data_dir() -> Iterator[Path]:
    # Not tmp_path, which is closed to the servers' user where the tests run as root.
    path = Path(tempfile.mkdtemp(prefix="chatsite-test-"))
    path.chmod(0o711)
    yield path
    left = processes_of(path)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(socket_dir(path), ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)
    assert not left, f"left behind: {left}"
