from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from chatsite.embedded import processes
from tests.processes import runs, wait_for

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not listen to SIGTERM; `mark-of-ours` is its last argument."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN, "mark-of-ours"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_a_process_of_ours_is_told_by_its_command_line(stubborn: subprocess.Popen[bytes]) -> None:
    assert processes.ours(stubborn.pid, "mark-of-ours")
    assert not processes.ours(os.getpid(), "mark-of-ours")


def test_no_process_has_the_number_of_a_dead_one(stubborn: subprocess.Popen[bytes]) -> None:
    stubborn.kill()
    stubborn.wait()

    assert not processes.ours(stubborn.pid, "mark-of-ours")


def test_who_does_not_listen_is_killed(stubborn: subprocess.Popen[bytes]) -> None:
    processes.end(stubborn.pid, "mark-of-ours", first=signal.SIGTERM, seconds=0.1)

    assert not runs(stubborn.pid)


def test_a_stopped_process_hears_the_signal(stubborn: subprocess.Popen[bytes]) -> None:
    stubborn.send_signal(signal.SIGSTOP)

    processes.end(stubborn.pid, "mark-of-ours", first=signal.SIGINT, seconds=10)

    assert stubborn.wait() == -signal.SIGINT or stubborn.returncode == 1


def test_a_stranger_with_a_reused_number_is_left_alone(stubborn: subprocess.Popen[bytes]) -> None:
    processes.end(stubborn.pid, "mark of another", first=signal.SIGKILL, seconds=0.1)

    assert runs(stubborn.pid)


def test_a_child_gets_one_signal_after_the_other(stubborn: subprocess.Popen[bytes]) -> None:
    processes.stop(stubborn, (signal.SIGTERM, 0.1), (signal.SIGKILL, 5))

    assert stubborn.returncode == -signal.SIGKILL


def test_a_dead_process_that_nobody_reaps_is_not_ours(stubborn: subprocess.Popen[bytes]) -> None:
    stubborn.kill()
    assert wait_for(lambda: not runs(stubborn.pid))

    assert not processes.ours(stubborn.pid, "mark-of-ours")
