"""What may not go wrong with the end of a run: servers that refuse, clocks that jump, odd exceptions."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from performance.queues.worker import outcomes
from performance.queues.worker.children import ChildDied, ChildRaised, _answer
from performance.queues.worker.run import Run, from_claim
from tests.performance.queues.conftest import Workers, eventually, history, run_waiting_tasks
from tests.performance.queues.jobs import tasks


def is_over(result: Any) -> bool:
    result.refresh()
    over: bool = result.is_finished
    return over


def test_an_end_that_the_server_refuses_is_written_later(server: Any, workers: Workers) -> None:
    result = tasks.note_slowly.enqueue("once", 1.0)
    workers.begin()
    eventually(lambda: history(server) == ["once"])
    try:
        # As a replica, or a server whose disk is full: every first write of a script is refused.
        server.config_set("min-replicas-to-write", 1)
        time.sleep(1.3)
        result.refresh()
        assert not result.is_finished
    finally:
        server.config_set("min-replicas-to-write", 0)
    eventually(lambda: is_over(result))
    assert history(server) == ["once"]
    assert result.attempts == 1


def test_a_clock_that_jumps_times_nothing_out(
    server: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tasks.effect_later.enqueue("whole", 1.0)
    workers.begin()
    eventually(lambda: server.hget(f"rq:job:{result.id}", "status") == b"started")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400)
    eventually(lambda: is_over(result))
    assert result.errors == []
    assert "whole" in history(server)


def test_what_waited_too_long_is_not_tried_again(server: Any) -> None:
    result = tasks.expiring.enqueue()
    time.sleep(0.1)
    run_waiting_tasks()
    assert is_over(result)
    assert [error.exception_class_path.rpartition(".")[2] for error in result.errors] == [
        "TaskExpired"
    ]


@pytest.mark.parametrize("name", ["raise_oddly", "raise_oddly_later"])
def test_an_exception_that_raises_when_asked_ends_its_run(
    server: Any, workers: Workers, name: str
) -> None:
    results = [getattr(tasks, name).enqueue(), tasks.add.enqueue(1, 2)]
    worker = workers.begin()
    eventually(lambda: all(is_over(result) for result in results))
    assert results[0].errors[0].exception_class is tasks.Odd
    eventually(lambda: worker.dispatcher and not worker.dispatcher.runs)


def test_an_odd_class_from_a_child_ends_its_run() -> None:
    raised = ChildRaised("tests.performance.queues.jobs.tasks.Odd", "Traceback", 5.0)
    run = _run()
    op = outcomes.failure_in_child(run, raised)
    assert (op["kind"], op["error_class"], op["exc_info"]) == ("retry", raised.path, "Traceback")


def test_a_child_that_dies_within_its_answer_has_died() -> None:
    def cut_off() -> bytes:
        raise OSError("got end of file during message")

    with pytest.raises(ChildDied):
        _answer(SimpleNamespace(recv_bytes=cut_off))  # type: ignore[arg-type]


def _run() -> Run:
    row = [b"id", b"normal", b"w.1", b"1", b"[]", *[b""] * 12]
    run = from_claim(row, "w")
    run.options = tasks.raise_oddly.func.__task_options__
    return run
