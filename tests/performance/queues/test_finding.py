"""Jobs that wait or run, found by the id of the request that enqueued them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.utils import timezone

from performance.queues import Level, finding, job_lists, outbox, submission
from performance.queues.conf import QueueOptions
from tests import round_trips
from tests.performance.queues.conftest import Workers, eventually
from tests.performance.queues.jobs import tasks

ID = "5f0c7c1e-1111-4222-8333-444455556666"


@pytest.fixture
def asked() -> Any:
    """What is enqueued within is enqueued by the request ID."""
    return lambda **more: structlog.contextvars.bound_contextvars(request_id=ID, **more)


def found() -> dict[str, str]:
    return {job.id: job.status for job in finding.of(ID).jobs}


def test_waiting_and_scheduled_jobs_of_all_levels_are_found(server: Any, asked: Any) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    tasks.add.enqueue(1, 2)
    with asked():
        waiting, critical = tasks.add.enqueue(1, 2), tasks.critical.enqueue()
        later = tasks.add.using(run_after=tomorrow).enqueue(1, 2)
    with structlog.contextvars.bound_contextvars(request_id="another", correlation_id=ID):
        caused = tasks.add.enqueue(3, 4)
    with structlog.contextvars.bound_contextvars(request_id=f"{ID}0"):
        tasks.add.enqueue(3, 4)
    assert found() == {
        waiting.id: "queued",
        critical.id: "queued",
        caused.id: "queued",
        later.id: "scheduled",
    }
    job = next(job for job in finding.of(ID).jobs if job.id == later.id)
    assert job.run_at == pytest.approx(tomorrow, abs=timedelta(seconds=1))
    assert finding.of("nobody's").jobs == []


def test_a_running_job_is_found(server: Any, workers: Workers, asked: Any) -> None:
    with asked():
        result = tasks.sleep.enqueue(30)
    workers.begin()
    eventually(lambda: found() == {result.id: "started"})


def test_a_job_that_its_limit_holds_up_is_found(server: Any, asked: Any) -> None:
    with asked():
        result = tasks.add.enqueue(1, 2)
    server.lpop("rq:queue:normal")
    server.zadd("rq:own:blocked_at:normal", {result.id: 1.5})
    assert found() == {result.id: "queued"}


def test_a_job_tells_the_request_it_belongs_to(server: Any, asked: Any) -> None:
    with asked():
        result = tasks.add.enqueue(1, 2)
    with asked(correlation_id="the first"):
        caused = tasks.add.enqueue(1, 2)
    assert finding.correlation_of(result.id) == ID
    assert finding.correlation_of(caused.id) == "the first"
    assert finding.correlation_of(tasks.add.enqueue(1, 2).id) == ""
    assert finding.correlation_of("nothing") == ""


def test_of_a_long_queue_the_newest_are_looked_at_and_the_rest_is_told(
    server: Any, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST", 5)
    monkeypatch.setattr(finding, "AT_ONCE", 2)
    with asked():
        results = [tasks.add.enqueue(number, 1) for number in range(7)]
    looked = finding.of(ID)
    assert {job.id for job in looked.jobs} == {result.id for result in results[2:]}
    assert looked.left_out == 2


def test_jobs_that_come_due_meanwhile_hide_no_others(
    server: Any, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "AT_ONCE", 2)
    states = job_lists.states

    def then_they_are_due(entries: Any) -> Any:
        found = states(entries)
        if due := [job.id for job in found if job.status == "scheduled"]:
            server.zrem("rq:scheduled:normal", *due)
        return found

    with asked():
        later = tasks.add.using(run_after=timezone.now() + timedelta(days=1))
        ids = {later.enqueue(number, 1).id for number in range(4)}
    monkeypatch.setattr(job_lists, "states", then_they_are_due)
    assert set(found()) == ids


def test_a_queue_of_thousands_costs_a_round_trip_a_thousand(server: Any, asked: Any) -> None:
    with asked():
        jobs = [submission.prepare(tasks.add, (n, 1), {}, QueueOptions()) for n in range(2500)]
    submission.send(server, jobs)
    assert len(finding.of(ID).jobs) == 2500
    with round_trips.counted() as trips:
        finding.of("another")
    lengths = len(Level) * len(finding.LISTS)
    assert len(trips) == lengths + 1 + 3


@pytest.mark.django_db
def test_what_redis_does_not_have_yet_is_found_in_the_outbox(server: Any, asked: Any) -> None:
    with asked():
        mine = submission.prepare(tasks.add, (1, 2), {}, QueueOptions())
    outbox.keep("a.task", [mine, submission.prepare(tasks.add, (1, 2), {}, QueueOptions())])
    assert [row.id for row in finding.in_outbox(ID)] == [mine.id]
    assert mine.level == Level.NORMAL
