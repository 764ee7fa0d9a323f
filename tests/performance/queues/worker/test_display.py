"""The line that a worker writes on a terminal."""

from __future__ import annotations

import time
from typing import Any

import pytest

from performance.queues import Level, levers
from performance.queues.worker.display import Display
from tests.performance.queues.conftest import Workers, eventually
from tests.performance.queues.jobs import tasks


def test_what_a_worker_shows(
    server: Any, workers: Workers, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = workers.begin()
    eventually(lambda: worker.dispatcher and worker.dispatcher.attached)
    display = Display(worker.dispatcher, server)
    levers.pause(Level.LOW)
    for _ in range(3):
        tasks.effect.using(priority=-100).enqueue("waits")
    tasks.sleep.enqueue(30)
    eventually(lambda: len(worker.dispatcher.runs) == 1)
    display()
    assert "running" not in capsys.readouterr().err  # at most once a second
    time.sleep(1.05)
    display()
    line = capsys.readouterr().err.rpartition("\r\x1b[K")[2]
    assert line.startswith("running 1  done ")
    assert line.endswith("waiting: critical 0  urgent 0  high 0  normal 0  low 3")
