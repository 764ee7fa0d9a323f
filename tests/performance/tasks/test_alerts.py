"""The tasks of alerts, and the thread that stands in for them."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.signals import request_started
from django.db import connection
from django.test import Client
from django.utils import timezone

from performance import alerts
from performance.alerts import channels, fallback, watchdog
from performance.alerts.channels import Channel, ChannelError, Message
from performance.models import Alert, AlertEvaluation, AlertEvent, AlertRule
from performance.queues.options import options_of
from performance.queues.signals import worker_started
from performance.tasks import evaluate_alerts, prune_alerts, send_alerts
from performance.tasks.alerts import be_ready, database_error, evaluate_and_send, samples

sent: list[Message] = []


class Recorder(Channel):
    def send(self, message: Message) -> None:
        sent.append(message)


class Broken(Channel):
    def send(self, message: Message) -> None:
        raise ChannelError("no luck")


@pytest.fixture
def told(settings: Any, queue_redis: Any, monkeypatch: Any) -> list[Message]:
    """What the channels were given; one of them is broken, one takes milder alerts alone."""
    sent.clear()
    here = __name__
    found = {
        "broken": {"BACKEND": f"{here}.Broken"},
        "missing": {"BACKEND": f"{here}.Missing"},
        "ops": {"BACKEND": f"{here}.Recorder"},
    }
    block = settings.PERFORMANCE
    settings.PERFORMANCE = {**block, "ALERTS": {**block["ALERTS"], "CHANNELS": found}}
    monkeypatch.setattr(fallback, "PATIENCE", 0.0)
    monkeypatch.setattr(fallback, "_since", None)
    monkeypatch.setattr(fallback, "_told", "")
    return sent


def test_evaluation_happens_every_five_seconds_before_all_other_tasks() -> None:
    for task in (evaluate_alerts, send_alerts):
        assert options_of(task.func).schedule.every == 5  # type: ignore[union-attr]
        assert task.priority == 100 or task.queue_name == "critical" or task.priority > 0


@pytest.mark.django_db
def test_services_are_asked_themselves(queue_redis: Any, cache_redis: Any) -> None:
    found = {(s.metric, *s.labels.values()): s.value for s in samples()}

    assert found["service_up", "database"] == 1
    assert found["service_up", "queue"] == 1
    assert found["service_up", "cache"] == 1
    assert found[("workers",)] == 0
    assert 0 < found["disk_free_ratio", "/"] < 1


@pytest.mark.django_db
def test_a_run_evaluates_and_sends(told: list[Message]) -> None:
    evaluate_and_send()

    assert (alerts.seconds_since() or 99) < 60
    assert AlertRule.objects.get(name="worker-gone").alerts.get().state == "pending"


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "works"), [(None, 1), (5, 0), (20, 1)])
def test_the_watchdog_works_when_nobody_else_does(age: float | None, works: int) -> None:
    if age is not None:
        AlertEvaluation.objects.create(at=timezone.now() - timedelta(seconds=age))
    done: list[int] = []

    watchdog.tick(lambda: done.append(1), lambda: "")

    assert len(done) == works
    assert connection.connection is None or connection.in_atomic_block


@pytest.mark.django_db
def test_switched_off_nothing_is_done(settings: Any) -> None:
    settings.PERFORMANCE = {**settings.PERFORMANCE, "ALERTS": {"ENABLED": False}}
    done: list[int] = []

    watchdog.tick(lambda: done.append(1), lambda: "away")

    assert not done
    assert evaluate_alerts.func() == send_alerts.func() == 0


def test_a_worker_is_ready_to_tell_before_there_is_anything_to_tell(
    settings: Any, told: list[Message]
) -> None:
    settings.ROOT_URLCONF = addresses = "tests.performance.tasks.addresses"
    sys.modules.pop(addresses, None)

    be_ready()
    for thread in threading.enumerate():
        if thread.name == "prepare-alerts":
            thread.join(10)

    assert addresses in sys.modules
    assert channels.get.cache_info().currsize == 2  # the third is missing


@pytest.mark.django_db
def test_the_watchdog_outlives_what_it_runs() -> None:
    def fail() -> None:
        raise RuntimeError("no")

    watchdog.tick(fail, lambda: "")


def test_the_watchdog_waits_for_the_first_request(settings: Any, monkeypatch: Any) -> None:
    started: list[Any] = []
    monkeypatch.setattr(watchdog, "_start", lambda *args: started.append(args))
    try:
        watchdog.watch(evaluate_and_send, database_error)
        assert not started
        Client(SERVER_NAME="localhost").get("/health/live")
        Client(SERVER_NAME="localhost").get("/health/live")
        worker_started.send_robust(None, worker="w")
    finally:
        uid = "performance.alerts.watchdog"
        request_started.disconnect(dispatch_uid=uid)
        worker_started.disconnect(dispatch_uid=uid)

    assert len(started) == 2


def test_a_dead_database_is_told_of_once_and_so_is_its_return(told: list[Message]) -> None:
    for _ in range(5):
        watchdog.tick(lambda: None, lambda: "OperationalError")
    assert [message.subject for message in told] == [
        "[critical] firing: PostgreSQL does not answer"
    ]
    assert "database-unreachable" in told[0].text

    for _ in range(3):
        fallback.database_answers()
    assert told[-1].subject == "[critical] resolved: PostgreSQL answers again"
    assert len(told) == 2


def test_a_short_absence_is_not_told(told: list[Message], monkeypatch: Any) -> None:
    monkeypatch.setattr(fallback, "PATIENCE", 60.0)
    fallback.database_is_away("x")
    fallback.database_answers()

    assert not told


def test_one_process_of_all_tells(told: list[Message], queue_redis: Any) -> None:
    queue_redis.set(fallback.CLAIM, "another", ex=60)

    fallback.database_is_away("x")

    assert not told


def test_without_redis_each_tells(told: list[Message], settings: Any, valkey_server: Any) -> None:
    server = valkey_server()
    settings.RQ_QUEUES = {n: {"URL": server.url} for n in settings.RQ_QUEUES}
    server.kill()

    fallback.database_is_away("x")
    fallback.database_answers()

    assert len(told) == 2


@pytest.mark.django_db
def test_old_alerts_go_with_their_events() -> None:
    rule, now = AlertRule.objects.get(name="disk-full"), timezone.now()
    ages = {
        "old": (91, True),
        "young": (89, True),
        "threat": (2, False),
        "fresh threat": (0, False),
    }
    for key, (days, fired) in ages.items():
        then = now - timedelta(days=days)
        alert = Alert.objects.create(
            rule=rule,
            key=key,
            state="resolved",
            severity="info",
            began_at=then,
            seen_at=then,
            resolved_at=then,
            fired_at=then if fired else None,
        )
        AlertEvent.objects.create(alert=alert, kind="pending")

    assert prune_alerts.func() == 2

    assert set(Alert.objects.values_list("key", flat=True)) == {"young", "fresh threat"}
    assert AlertEvent.objects.count() == 2


def test_channels_are_forgotten_with_their_settings(told: list[Message]) -> None:
    assert channels.aliases() == ["broken", "missing", "ops"]
    assert len(list(channels.problems())) == 1


@pytest.mark.django_db
def test_the_watchdog_waits_for_no_clock_that_was_set_back() -> None:
    AlertEvaluation.objects.create(at=timezone.now() + timedelta(hours=1))
    done: list[int] = []

    watchdog.tick(lambda: done.append(1), lambda: "")

    assert done


def test_the_return_is_told_however_long_it_was_away(told: list[Message], queue_redis: Any) -> None:
    fallback.database_is_away("x")
    queue_redis.expire(fallback.CLAIM, 5)

    fallback.database_is_away("x")

    assert queue_redis.ttl(fallback.CLAIM) > 60


@pytest.mark.django_db
def test_an_alert_that_flaps_for_ever_does_not_grow_for_ever() -> None:
    now = timezone.now()
    values = {"severity": "info", "began_at": now, "seen_at": now, "key": "k"}
    threat = Alert.objects.create(rule=AlertRule.objects.get(name="disk-full"), **values)
    values["fired_at"] = now
    fired = Alert.objects.create(rule=AlertRule.objects.get(name="error-rate"), **values)
    for alert in (threat, fired):
        for days in (0, 2, 91):
            at = now - timedelta(days=days)
            AlertEvent.objects.create(alert=alert, kind="lapsed", at=at)
            AlertEvent.objects.create(alert=alert, kind="commented", at=at, actor_name="ann")

    prune_alerts.func()

    kept = AlertEvent.objects.filter(kind="lapsed")
    assert sorted(kept.values_list("alert__rule__name", flat=True)) == [
        *("disk-full", "error-rate", "error-rate"),
    ]
    assert AlertEvent.objects.filter(kind="commented").count() == 6
