"""Duplicates, idempotency, full levels, durable tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.tasks import TaskResultStatus
from django.utils import timezone

from performance.models import TaskOutbox
from performance.queues import QueueFull, connection, enqueue_many, outbox
from performance.queues.submission import interval_of
from tests.performance.queues.conftest import Workers, eventually, history, run_waiting_tasks, use
from tests.performance.queues.jobs import tasks


def test_a_duplicate_that_waits_is_dropped_and_answers_with_the_first(server: Any) -> None:
    first = tasks.once_waiting.enqueue(name="a")
    second = tasks.once_waiting.enqueue(name="a")
    other = tasks.once_waiting.enqueue(name="b")
    assert second.id == first.id != other.id
    run_waiting_tasks()
    assert sorted(history(server)) == ["a", "b"]
    assert tasks.once_waiting.enqueue(name="a").id != first.id


def test_unique_until_finished_covers_the_run(server: Any, workers: Workers) -> None:
    first = tasks.once_running.enqueue(name="a", seconds=1.0)
    workers.begin()
    eventually(lambda: server.hget(f"rq:job:{first.id}", "status") == b"started")
    assert tasks.once_running.enqueue(name="a", seconds=0).id == first.id
    eventually(lambda: history(server) == ["a"])
    eventually(lambda: server.hget(f"rq:job:{first.id}", "status") == b"finished")
    assert tasks.once_running.enqueue(name="a", seconds=0).id != first.id


def test_the_newest_replaces_a_waiting_duplicate(server: Any) -> None:
    older = tasks.newest.enqueue(name="a", value=1)
    tasks.newest.enqueue(name="a", value=2)
    run_waiting_tasks()
    assert history(server) == ["a 2"]
    older.refresh()
    assert older.errors[0].exception_class_path.endswith("TaskCancelled")


def test_the_newest_replaces_a_running_duplicate(server: Any, workers: Workers) -> None:
    older = tasks.latest.enqueue(name="a", seconds=60)
    workers.begin()
    eventually(lambda: server.hget(f"rq:job:{older.id}", "status") == b"started")
    newer = tasks.latest.enqueue(name="a", seconds=0.1)
    assert newer.id != older.id
    eventually(lambda: server.hget(f"rq:job:{older.id}", "status") == b"stopped")
    eventually(lambda: history(server) == ["a 0.1"])
    older.refresh()
    assert older.errors[0].exception_class_path.endswith("TaskCancelled")


def test_idempotent_holds_after_the_end(server: Any) -> None:
    first = tasks.idempotent.enqueue(name="a")
    run_waiting_tasks()
    assert tasks.idempotent.enqueue(name="a").id == first.id
    run_waiting_tasks()
    assert history(server) == ["a"]


def test_a_key_without_its_argument_is_an_error(server: Any) -> None:
    with pytest.raises(ValueError, match="name"):
        tasks.idempotent.enqueue()


def test_a_full_level_refuses_and_others_pass(server: Any, set_options: Any) -> None:
    set_options(MAX_LENGTH={"low": 2})
    low = tasks.effect.using(priority=-100)
    low.enqueue("1")
    low.enqueue("2")
    with pytest.raises(QueueFull) as caught:
        low.enqueue("3")
    assert caught.value.level == "low"
    assert caught.value.length == 2
    assert 1 <= caught.value.retry_after <= 300
    tasks.effect.using(priority=100).enqueue("critical")
    low.using(run_after=timezone.now() + timedelta(hours=1)).enqueue("later")
    assert server.llen("rq:queue:low") == 2


def test_a_shedding_level_drops_its_oldest(server: Any, set_options: Any) -> None:
    set_options(MAX_LENGTH={"low": 2}, SHED=["low"])
    low = tasks.effect.using(priority=-100)
    oldest = low.enqueue("1")
    low.enqueue("2")
    low.enqueue("3")
    run_waiting_tasks()
    assert sorted(history(server)) == ["2", "3"]
    oldest.refresh()
    assert oldest.status == TaskResultStatus.FAILED
    assert oldest.errors[0].exception_class_path.endswith("TaskShed")


def test_sending_the_same_job_twice_queues_it_once(server: Any, settings: Any) -> None:
    from performance.queues import conf, submission

    job = submission.prepare(tasks.effect, ["x"], {}, conf.QueueOptions())
    assert submission.send(server, [job]) == submission.send(server, [job])
    assert server.llen("rq:queue:normal") == 1


def test_many_calls_of_one_task(server: Any) -> None:
    results = enqueue_many(tasks.effect, [((str(n),), {}) for n in range(700)])
    assert len({result.id for result in results}) == 700
    run_waiting_tasks()
    assert sorted(map(int, history(server))) == list(range(700))


@pytest.mark.django_db(transaction=True)
def test_a_durable_task_outlives_a_redis_that_is_away(settings: Any, server: Any) -> None:
    url = settings.RQ_QUEUES["normal"]["URL"]
    use(settings, "redis://127.0.0.1:1/0")
    with transaction.atomic():
        result = tasks.durable.enqueue()
    assert TaskOutbox.objects.count() == 1
    use(settings, url)
    TaskOutbox.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert outbox.sweep(connection.client()) == 1
    assert outbox.sweep(connection.client()) == 0
    assert server.lrange("rq:queue:normal", 0, -1) == [result.id.encode()]
    assert not TaskOutbox.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shed", [[], ["normal"]], ids=["refusing", "shedding"])
def test_a_durable_task_is_kept_where_the_level_is_full(
    server: Any, set_options: Any, shed: list[str]
) -> None:
    set_options(MAX_LENGTH={"normal": 2}, SHED=shed)
    results = []
    for _ in range(5):
        with transaction.atomic():
            results.append(tasks.durable.enqueue())
    assert TaskOutbox.objects.count() == 3
    TaskOutbox.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    run_waiting_tasks()
    outbox.sweep(connection.client())
    run_waiting_tasks()
    assert history(server) == ["durable"] * 5
    for result in results:
        result.refresh()
    assert {result.status for result in results} == {TaskResultStatus.SUCCESSFUL}


@pytest.mark.django_db(transaction=True)
def test_a_durable_task_leaves_no_row_once_it_is_queued(server: Any) -> None:
    with transaction.atomic():
        tasks.durable.enqueue()
        assert TaskOutbox.objects.count() == 1
    assert not TaskOutbox.objects.exists()


@pytest.mark.parametrize(("rate", "seconds"), [("10/s", 0.1), ("60/m", 1.0), ("24/d", 3600.0)])
def test_rates(rate: str, seconds: float) -> None:
    assert interval_of(rate) == pytest.approx(seconds)


@pytest.mark.parametrize("rate", ["10", "x/s", "0/s", "5/y", ""])
def test_bad_rates(rate: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        interval_of(rate)
