"""Recording by real processes, into a Redis that dies, freezes and comes back."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from performance import metrics
from performance.metrics import flusher, process, store, totals
from tests.performance.metrics.conftest import MOMENT
from tests.performance.metrics.settings import with_metrics
from tests.performance.metrics.stored import found
from tests.servers import ThrowAwayValkey

PROGRAM = Path(__file__).with_name("recording_process.py")
ROOT = Path(__file__).parents[3]
NewServer = Callable[..., ThrowAwayValkey]


@pytest.fixture
def server(settings: Settings, valkey_server: NewServer) -> ThrowAwayValkey:
    """The live store of this test, which it may hurt."""
    found = valkey_server()
    settings.PERFORMANCE = with_metrics(LOCATION=found.url)
    return found


def start(
    server: ThrowAwayValkey,
    mode: str,
    n: int,
    stdout: int = subprocess.DEVNULL,
    stderr: int | None = None,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), server.url, mode, str(n)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
        stdout=stdout,
        stderr=stderr,
        text=True,
    )


def total(name: str) -> float:
    """The running total, of all processes and labels."""
    running = totals.running(store.read_totals())
    return sum(one.count for one in running if one.series.name == name)


def test_processes_and_threads_add_up(server: ThrowAwayValkey) -> None:
    processes = [start(server, "many", 500) for _ in range(3)]
    assert [one.wait(30) for one in processes] == [0, 0, 0]

    assert found("apples", colour="red").count == total("apples") == 3 * 4 * 500
    weights = found("weight_seconds")
    assert (weights.count, round(weights.sum)) == (6000, 3300)
    assert (weights.min, weights.max) == (0.1, 1.0)
    assert weights.quantile(0.5) == pytest.approx(0.5, rel=0.02)


def test_a_forks_child_sends_its_own_and_the_parents_once(server: ThrowAwayValkey) -> None:
    assert start(server, "forked", 100).wait(30) == 0
    assert found("apples", colour="red").count == total("apples") == 200


def test_a_thread_sends_by_itself(server: ThrowAwayValkey) -> None:
    running = start(server, "idle", 50)
    deadline = time.monotonic() + 20
    while found("apples", colour="red").count < 50 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.kill()
    running.wait()
    assert found("apples", colour="red").count == 50


def test_a_redis_that_ends_before_the_process_is_nothing_to_tell_of(
    server: ThrowAwayValkey,
) -> None:
    server.kill()
    ended = start(server, "many", 1, stderr=subprocess.PIPE)
    assert ended.communicate(timeout=30)[1] == ""
    assert ended.returncode == 0


def test_killed_while_it_sends_it_doubles_nothing(server: ThrowAwayValkey) -> None:
    pause = random.Random(7)
    least = most = 0
    for _ in range(4):
        with start(server, "endless", 1, subprocess.PIPE) as running:
            assert running.stdout
            running.stdout.readline()
            time.sleep(pause.uniform(0.05, 0.2))
            running.kill()
            sent = int(running.stdout.read().split()[-1])
        least, most = least + sent, most + sent + 1

    assert least <= found("apples", colour="red").count <= most
    assert least <= total("apples") <= most


def test_processes_that_end_leave_little_behind(server: ThrowAwayValkey) -> None:
    assert start(server, "many", 1).wait(30) == 0
    left = {key.partition(b":")[2].split(b":")[0]: key for key in store.client().scan_iter()}
    assert set(left) == {b"slot", b"batch", b"totals", b"series"}
    for of_one in (left[b"slot"], left[b"batch"]):
        assert 0 < store.client().ttl(of_one) <= 3600


def test_a_frozen_redis_gets_everything_once_when_it_thaws(
    server: ThrowAwayValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "TIMEOUT", 0.2)
    store.client.cache_clear()
    metrics.count("apples")
    assert metrics.flush()
    server.freeze()
    try:
        for _ in range(3):
            metrics.count("apples")
            # What it was sent lies in its socket, and it will do that, too, when it thaws.
            assert not metrics.flush()
            _try_at_once()
    finally:
        server.thaw()
    metrics.count("apples")
    _try_at_once()
    assert metrics.flush()

    assert found("apples").count == total("apples") == 5


def test_while_redis_is_away_it_waits_between_tries(
    server: ThrowAwayValkey, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    tries = []
    write = store.write

    def counted(*args: object) -> None:
        tries.append(1)
        write(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "write", counted)
        for _ in range(50):
            metrics.count("apples")
            assert not metrics.flush()
    assert len(tries) == 1
    server.restart()
    _try_at_once()
    assert metrics.flush()
    assert found("apples").count == 50
    assert "Metrics wait: Redis does not answer" in caplog.text
    assert "Metrics flow again after 1 failed tries" in caplog.text


def test_what_redis_is_away_for_too_long_for_is_dropped_and_counted(
    server: ThrowAwayValkey, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]
) -> None:
    monkeypatch.setattr(flusher, "MOST_PENDING", 3)
    server.kill()
    for number in range(6):
        at(MOMENT + timedelta(seconds=10 * number))
        metrics.count("apples")
        metrics.flush()
    server.restart()
    _try_at_once()
    metrics.flush()
    metrics.flush()

    assert found("apples").count == 3
    assert found("metrics_dropped", reason="redis").count >= 3
    # A total needs no room for each moment, so it has them all.
    assert total("apples") == 6


def _try_at_once() -> None:
    assert process._here.flusher is not None
    process._here.flusher._try_at = 0.0
