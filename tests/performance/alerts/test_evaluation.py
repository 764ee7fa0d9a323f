"""Alerts in the database, over simulated time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from performance import alerts, metrics, tracebacks
from performance.alerts import Report, Sample, actions, evaluate, evaluation, seconds_since
from performance.metrics import rollup
from performance.models import Alert, AlertEvaluation, AlertEvent, AlertRule, Silence
from tests.factories import UserFactory
from tests.performance.alerts.conftest import START, at

Rule = Callable[..., AlertRule]
See = Callable[..., Report]


def kinds(alert: Alert | None = None) -> list[str]:
    events = AlertEvent.objects.all() if alert is None else alert.events.all()
    return list(events.order_by("at", "id").values_list("kind", flat=True))


def test_an_alert_fires_and_resolves(make_rule: Rule, see: See) -> None:
    make_rule()
    for second, value in [(0, 11), (10, 12), (20, 15), (30, 9), (59, 9), (60, 9)]:
        see(second, value)

    alert = Alert.objects.get()

    assert kinds() == ["pending", "fired", "resolved"]
    assert (alert.state, alert.value, alert.peak) == ("resolved", 9, 15)
    assert (alert.began_at, alert.fired_at, alert.resolved_at) == (at(0), at(20), at(60))


def test_each_set_of_labels_has_its_own_alert(make_rule: Rule, see: See) -> None:
    make_rule(group_by=["view"], hold=0)
    see(0, home=11, about=12, help=3)

    assert {a.labels["view"] for a in Alert.objects.active()} == {"home", "about"}

    see(10, about=12)  # of home nothing is known now: that changes nothing
    assert Alert.objects.active().count() == 2


def test_one_that_comes_back_is_the_same_one(make_rule: Rule, see: See) -> None:
    make_rule(hold=0, keep_firing=0)
    for second, value in [(0, 11), (10, 1), (20, 11)]:
        see(second, value)
    alert = Alert.objects.get()
    assert (alert.state, alert.flaps) == ("firing", 1)

    see(30, 1)
    see(30 + 901, 11)

    assert Alert.objects.count() == 2
    assert kinds(alert)[-1] == "resolved"


def test_the_evaluation_knows_nothing_by_itself(make_rule: Rule, see: See) -> None:
    """Every timer is a column: any process goes on where another ended."""
    make_rule(hold=20)
    see(0, 11)
    row = Alert.objects.get()

    see(19.9, 11)
    assert Alert.objects.get().state == "pending"
    see(20, 11)

    assert Alert.objects.get() == row
    assert Alert.objects.get().state == "firing"


def test_a_rule_that_is_switched_off_lets_go(make_rule: Rule, see: See) -> None:
    rule = make_rule(hold=0)
    see(0, 11)
    AlertRule.objects.filter(pk=rule.pk).update(enabled=False)

    see(10, 11)

    assert Alert.objects.get().state == "resolved"
    assert kinds()[-1] == "disabled"


def test_a_rule_that_cannot_be_evaluated_alerts_about_itself(make_rule: Rule, see: See) -> None:
    good, bad = make_rule(hold=0), make_rule(hold=0)
    AlertRule.objects.filter(pk=bad.pk).update(aggregation="p42")

    see(0, 11)

    alert = bad.alerts.get()
    assert (alert.cause, alert.state) == ("error", "firing")
    assert "p42" in alert.problem
    assert good.alerts.get().state == "firing"

    AlertRule.objects.filter(pk=bad.pk).update(aggregation="last")
    see(10, 1)
    see(70, 1)
    assert bad.alerts.get().state == "resolved"


def test_a_word_that_there_is_not_is_the_rules_problem_too(make_rule: Rule, see: See) -> None:
    bad = make_rule(hold=0)
    see(0, 11)
    AlertRule.objects.filter(pk=bad.pk).update(comparison="??")

    see(10, 1)

    assert {a.cause: a.state for a in bad.alerts.all()} == {"value": "firing", "error": "firing"}


def test_reading_that_fails_for_one_rule_costs_no_other(make_rule: Rule, queue_redis: Any) -> None:
    with time_machine.travel(START, tick=False):
        metrics.count("good_things", 5)
        metrics.flush()
    bad = make_rule(metric="evil_things", hold=0)
    good = make_rule(metric="good_things", aggregation="count", threshold=1, hold=0)
    AlertRule.objects.filter(pk=bad.pk).update(labels=["x"])

    with time_machine.travel(at(5), tick=False):
        evaluate(now=at(5))

    assert good.alerts.get().state == "firing"
    assert bad.alerts.filter(cause="error").count() == 1


def test_an_alert_about_a_rule_quotes_no_foreign_error(
    make_rule: Rule, queue_redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError("canary-55")

    rule = make_rule(metric="good_things", hold=0)
    monkeypatch.setattr("performance.alerts.measuring.read_many", fail)
    evaluate(now=at(5))
    problem = rule.alerts.get(cause="error").problem
    assert problem == f"RuntimeError: {tracebacks.LEFT_OUT}"


def test_a_more_severe_rule_takes_the_acknowledgement_back(make_rule: Rule, see: See) -> None:
    rule = make_rule(hold=0, severity="warning")
    see(0, 11)
    Alert.objects.update(state="acknowledged", acknowledged_at=at(1))
    AlertRule.objects.filter(pk=rule.pk).update(severity="critical")

    see(10, 11)

    alert = Alert.objects.get()
    assert (alert.state, alert.severity, alert.acknowledged_at) == ("firing", "critical", None)
    assert kinds()[-1] == "raised"


def test_metrics_that_are_recorded_are_evaluated(make_rule: Rule, queue_redis: Any) -> None:
    make_rule(
        metric="request_seconds",
        aggregation="count",
        labels={"status": "5xx"},
        divisor="request_seconds",
        threshold=0.05,
        window=60,
        hold=0,
        min_samples=10,
    )
    with time_machine.travel(START, tick=False):
        for number in range(20):
            status = "5xx" if number % 10 == 0 else "2xx"
            metrics.observe("request_seconds", 0.1, view="v", method="GET", status=status)
        metrics.flush()
    with time_machine.travel(at(9), tick=False):
        evaluate(now=at(9))

    assert Alert.objects.get().value == pytest.approx(0.1)


def test_a_dead_redis_changes_nothing_but_what_is_sampled(
    make_rule: Rule, see: See, valkey_server: Any, settings: Any
) -> None:
    server = valkey_server()
    block = settings.PERFORMANCE
    settings.PERFORMANCE = {**block, "METRICS": {**block["METRICS"], "LOCATION": server.url}}
    counted = make_rule(metric="things", aggregation="count", threshold=1, hold=0, keep_firing=0)
    absent = make_rule(metric="nothing", no_data="alert", hold=10)
    sampled = make_rule(metric="level", hold=0)
    with time_machine.travel(START, tick=False):
        metrics.count("things", 5)
        metrics.flush()
    with time_machine.travel(at(5), tick=False):
        see(5, 1)
    assert counted.alerts.get().state == "firing"
    server.kill()

    with time_machine.travel(at(20), tick=False):
        report = see(20, 11)

    assert report.away
    assert absent.alerts.get().state == "pending"
    assert counted.alerts.get().state == "firing"
    assert sampled.alerts.get().state == "firing"
    assert AlertEvaluation.objects.get().problem


def test_two_evaluators_at_once_do_it_once(
    transactional_db: None, make_rule: Rule, see: See
) -> None:
    make_rule(hold=0, group_by=["view"])
    samples = [Sample("level", 11, {"view": str(number)}) for number in range(20)]
    ready, reports = threading.Barrier(6), []

    def run() -> None:
        ready.wait()
        try:
            reports.extend([evaluate(now=at(n), samples=samples) for n in range(3)])
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert any(reports)
    assert sorted(kinds()) == ["fired"] * 20 + ["pending"] * 20
    assert Alert.objects.count() == 20


def test_who_comes_second_leaves_at_once(transactional_db: None, make_rule: Rule, see: See) -> None:
    make_rule()
    answers = []

    def other() -> None:
        answers.append(evaluate(now=START))
        connection.close()

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [evaluation.LOCK])
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    assert answers == [None]


STEPS = [
    "performance.alerts.evaluation.measure",
    "performance.alerts.episodes.advance",
    "performance.alerts.episodes.write",
    "performance.alerts.evaluation._suppress",
    "performance.alerts.planning.plan",
    "performance.alerts.evaluation._write_down",
]


@pytest.mark.parametrize("step", STEPS)
def test_an_evaluator_that_dies_between_steps_changes_nothing(
    step: str, transactional_db: None, make_rule: Rule, see: See, monkeypatch: Any
) -> None:
    class Killed(BaseException):
        pass

    def die(*_args: Any, **_kwargs: Any) -> None:
        raise Killed

    make_rule(hold=10)
    see(0, 11)
    before = kinds()
    with monkeypatch.context() as patch:
        patch.setattr(step, die)
        with pytest.raises(Killed):
            see(10, 11)
    assert kinds() == before

    see(10, 11)
    assert kinds() == ["pending", "fired"]


def test_evaluating_costs_few_queries(
    make_rule: Rule, see: See, django_assert_num_queries: Any
) -> None:
    for _ in range(30):
        make_rule(metric="counted_things", aggregation="count")
    see(0, 1)
    # A savepoint of the test's own and its release, lock and clock, rules, alerts, series, evaluation.
    with django_assert_num_queries(7):
        see(10, 1)


def test_switched_off_nothing_is_evaluated(settings: Any, db: None) -> None:
    settings.PERFORMANCE = {"ALERTS": {"ENABLED": False}}

    assert evaluate() is None


def test_the_newest_evaluation_can_be_asked_for(make_rule: Rule) -> None:
    assert seconds_since() is None

    alerts.evaluate()

    assert 0 <= (seconds_since() or -1) < 60


@pytest.mark.parametrize(
    "change",
    ["UPDATE performance_alertevent SET note = 'x'", "DELETE FROM performance_alertevent"],
)
def test_events_are_only_added(change: str, make_rule: Rule, see: See) -> None:
    make_rule(hold=0)
    see(0, 11)

    with (
        pytest.raises(DatabaseError, match="only added"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_a_silence_is_seen(make_rule: Rule, see: See) -> None:
    rule = make_rule(hold=0)
    Silence.objects.create(reason="move", rule=rule, starts_at=at(-10), ends_at=at(5))

    see(0, 11)
    assert Alert.objects.get().suppressed == "silenced: move"
    see(6, 11)

    assert Alert.objects.get().suppressed == ""
    assert kinds() == ["pending", "fired", "suppressed"]


def test_what_follows_from_another_alert_is_held_back(make_rule: Rule, see: See) -> None:
    database, pages = make_rule(hold=0), make_rule(hold=0)
    pages.inhibited_by.add(database)

    see(0, 11)

    assert database.alerts.get().suppressed == ""
    assert pages.alerts.get().suppressed == "follows from: rule-0"


def test_what_is_no_longer_counted_is_none(make_rule: Rule, queue_redis: Any) -> None:
    """Nothing is recorded for these labels any more; of a count that says that it is 0."""
    make_rule(
        metric="things", aggregation="count", group_by=["who"], window=60, hold=0, keep_firing=0
    )
    make_rule(
        metric="things", aggregation="max", group_by=["who"], window=60, hold=0, keep_firing=0
    )
    with time_machine.travel(START, tick=False):
        metrics.count("things", 11, who="a")
        metrics.flush()
    with time_machine.travel(at(9), tick=False):
        evaluate(now=at(9))
    with time_machine.travel(at(100), tick=False):
        evaluate(now=at(100))

    assert {a.rule.aggregation: a.state for a in Alert.objects.all()} == {"count": "resolved"}


def test_half_of_the_data_is_no_data(make_rule: Rule, valkey_server: Any, settings: Any) -> None:
    """The older minutes are rows and still there; without the newest they look like a fall."""
    server = valkey_server()
    block = settings.PERFORMANCE
    settings.PERFORMANCE = {**block, "METRICS": {**block["METRICS"], "LOCATION": server.url}}
    make_rule(metric="things", aggregation="count", threshold=3, hold=0, keep_firing=0)
    for second, number in ((-180, 1), (0, 5)):
        with time_machine.travel(at(second), tick=False):
            metrics.count("things", number)
            metrics.flush()
            rollup.roll_up()
    with time_machine.travel(at(5), tick=False):
        evaluate(now=at(5))
    assert Alert.objects.get().value == 6
    server.kill()

    with time_machine.travel(at(10), tick=False):
        evaluate(now=at(10))

    assert Alert.objects.get().state == "firing"


def test_a_rules_own_failure_holds_nothing_back(make_rule: Rule, see: See) -> None:
    """That a rule cannot be evaluated says nothing of the server that it watches."""
    first, second = make_rule(hold=0), make_rule(hold=0)
    second.inhibited_by.add(first)
    AlertRule.objects.filter(pk=first.pk).update(comparison="xx")

    see(0, 11)

    assert Alert.objects.get(rule=second).suppressed == ""


def test_rules_in_a_circle_hold_back_nobody(make_rule: Rule, see: See) -> None:
    """Two staff at once, or a reset, can close a circle that the form would refuse."""
    first, second, third = make_rule(hold=0), make_rule(hold=0), make_rule(hold=0)
    first.inhibited_by.add(second)
    second.inhibited_by.add(first)
    third.inhibited_by.add(second)

    see(0, 11)

    held = {alert.rule_id: bool(alert.suppressed) for alert in Alert.objects.all()}
    assert held == {first.pk: False, second.pk: False, third.pk: True}


def test_staff_do_not_wait_while_metrics_are_read(
    transactional_db: None, make_rule: Rule, see: See, monkeypatch: Any
) -> None:
    make_rule(hold=0)
    see(0, 11)
    told: list[int] = []

    def slow(*args: Any) -> Any:
        thread = threading.Thread(target=acknowledge)
        thread.start()
        thread.join()
        return measure(*args)

    def acknowledge() -> None:
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '2s'")
            told.append(actions.acknowledge([Alert.objects.get().pk], by=alice))
            cursor.connection.close()  # the pool would hand it on with its timeout

    alice = UserFactory(is_staff=True)
    measure = evaluation.measure
    monkeypatch.setattr(evaluation, "measure", slow)
    see(10, 11)

    assert told == [1]
    assert Alert.objects.get().state == "acknowledged"
