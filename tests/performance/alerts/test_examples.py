"""An alert names things behind it: requests and replies by what they left, tasks by their rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from performance import metrics
from performance.alerts import Report, Sample, evaluate
from performance.alerts import examples as alert_examples
from performance.metrics import examples
from performance.middleware import PerformanceMiddleware
from performance.models import Alert, AlertRule, TaskRun
from tests.performance.alerts.conftest import START, at

Rule = Callable[..., AlertRule]
See = Callable[..., Report]


@pytest.fixture(autouse=True)
def _live(queue_redis: redis.Redis) -> None:
    """Nothing is left of what was before."""


def leave(metric: str, value: float, found_by: str, **labels: str) -> None:
    with time_machine.travel(START, tick=False):
        examples.leave(metric, value, found_by, **labels)
    metrics.count("beside_it")
    metrics.flush()


def test_a_rule_that_counts_names_the_newest_with_its_labels(make_rule: Rule, see: See) -> None:
    make_rule(metric="level", labels={"status": "5xx"}, group_by=["view"], hold=0)
    for number in range(7):
        leave("level", 0.1, f"r-{number}", view="home", status="5xx")
    leave("level", 0.1, "fine", view="home", status="2xx")
    leave("level", 0.1, "elsewhere", view="about", status="5xx")
    leave("other", 0.1, "another metric", view="home", status="5xx")
    sample = Sample("level", 11, {"view": "home", "status": "5xx"})
    evaluate(now=at(1), samples=[sample])
    assert Alert.objects.get().examples == ["r-6", "r-5", "r-4", "r-3", "r-2"]


def test_a_rule_about_values_names_those_beyond_its_threshold(make_rule: Rule, see: See) -> None:
    make_rule(aggregation="max", hold=0)
    leave("level", 12, "slow")
    leave("level", 9, "quick enough")
    see(1, 11)
    assert Alert.objects.get().examples == ["slow"]


def test_what_is_older_than_the_window_is_none(make_rule: Rule, see: See) -> None:
    make_rule(hold=0, window=60)
    leave("level", 12, "old")
    see(3600, 11)
    assert Alert.objects.get().examples == []


def test_tasks_are_named_by_their_rows(make_rule: Rule, see: See) -> None:
    make_rule(
        metric="task_seconds", aggregation="count", labels={"status": "failed"}, hold=0, threshold=0
    )
    for number, status in enumerate(["failed", "successful", "failed"]):
        TaskRun.objects.create(
            task="app.tasks.x", level="low", status=status, waited=0, ran=1, attempt=1,
            task_id=f"t-{number}", correlation_id="c-2" if number == 2 else "",
            started_at=START, finished_at=START + timedelta(seconds=number),
        )  # fmt: skip
    evaluate(now=at(5), samples=[Sample("task_seconds", 11, {"status": "failed"})])
    assert Alert.objects.get().examples == ["c-2", "t-0"]


@pytest.mark.parametrize(("comparison", "named"), [("ge", ["t-10", "t-9"]), ("le", ["t-9", "t-8"])])
def test_tasks_are_named_on_the_bad_side_of_the_threshold(
    make_rule: Rule, comparison: str, named: list[str]
) -> None:
    rule = make_rule(
        metric="task_seconds", aggregation="max", comparison=comparison, hold=0, threshold=9
    )
    for ran in (8, 9, 10):
        TaskRun.objects.create(
            task="app.tasks.x", level="low", status="successful", waited=0, ran=ran, attempt=1,
            task_id=f"t-{ran}", started_at=START, finished_at=START + timedelta(seconds=ran),
        )  # fmt: skip
    assert alert_examples.of(Alert(rule=rule), at(11)) == named


def test_without_redis_the_alert_fires_without_examples(
    make_rule: Rule, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise redis.ConnectionError("away")

    monkeypatch.setattr("performance.metrics.store.client", away)
    make_rule(hold=0)
    see(1, 11)
    assert (Alert.objects.get().state, Alert.objects.get().examples) == ("firing", [])


@pytest.mark.parametrize(("status", "left"), [(500, ["r-1"]), (200, []), (404, [])])
def test_a_request_that_failed_leaves_its_id(status: int, left: list[str]) -> None:
    def get_response(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=status, headers={"X-Request-ID": "r-1"})

    PerformanceMiddleware(get_response)(RequestFactory().get("/"))
    metrics.flush()
    found = examples.newest("request_seconds", {"status": ["5xx"]}, 0)
    assert [example.id for example in found] == left


def test_examples_are_bounded(queue_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "KEPT", 3)
    for number in range(2 * examples.WAITING):
        examples.leave("level", 1, f"r-{number}")
    metrics.count("beside_it")
    metrics.flush()
    assert queue_redis.llen(examples.KEY) == 3
    assert 0 < queue_redis.ttl(examples.KEY) <= examples.LIFE  # type: ignore[operator]
    assert [one.id for one in examples.newest("level", {}, 0)] == ["r-99", "r-98", "r-97"]
