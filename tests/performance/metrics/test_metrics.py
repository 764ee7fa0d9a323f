from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import override_settings

from performance import metrics
from performance.metrics import cardinality
from tests.performance.metrics.conftest import MOMENT
from tests.performance.metrics.settings import with_metrics
from tests.performance.metrics.stored import found, stored


@pytest.fixture(autouse=True)
def _clock(at: Callable[[datetime], None]) -> None:
    """The clock stands still."""


def test_what_is_recorded_arrives() -> None:
    metrics.count("apples", n=2, colour="red")
    metrics.count("apples", colour="red")
    metrics.observe("wait_seconds", 0.5)
    metrics.observe("wait_seconds", 1.5)
    metrics.gauge("queue", 7, level="high")
    metrics.gauge("queue", 3, level="high")
    assert metrics.flush()

    assert found("apples", colour="red").count == 3
    wait = found("wait_seconds")
    assert (wait.count, wait.sum, wait.min, wait.max, wait.mean) == (2, 2, 0.5, 1.5, 1)
    queue = found("queue", level="high")
    assert (queue.count, queue.min, queue.max, queue.mean) == (2, 3, 7, 5)


def test_flushing_again_adds_nothing() -> None:
    metrics.count("apples")
    metrics.flush()
    metrics.flush()
    metrics.count("apples")
    metrics.flush()

    assert found("apples").count == 2


@pytest.mark.parametrize(
    "bad",
    [
        lambda: metrics.count("Apples"),
        lambda: metrics.count("apples", n=-1),
        lambda: metrics.count("apples", n=float("nan")),
        lambda: metrics.observe("apples_seconds", float("inf")),
        lambda: metrics.observe("apples_seconds", "long"),
        lambda: metrics.observe("apples_seconds", -1e31),
        lambda: metrics.count("apples; DROP TABLE"),
        lambda: metrics.count("apples", le="1"),
        lambda: metrics.count("apples", **{f"label_{n}": "x" for n in range(20)}),
        lambda: metrics.count("apples" * 100),
    ],
)
def test_what_cannot_be_recorded_is_counted_and_harms_nobody(bad: Callable[[], None]) -> None:
    metrics.count("pears")
    bad()
    metrics.count("pears")
    metrics.flush()

    assert found("pears").count == 2
    assert found("metrics_dropped", reason="invalid").count == 1


def test_a_metric_keeps_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    metrics.count("apples")
    metrics.observe("apples", 3)
    metrics.count("request_seconds")
    metrics.flush()

    assert found("apples").count == 1
    assert found("metrics_dropped", reason="invalid").count == 2
    assert "apples is a counter; it was recorded as a distribution." in caplog.text
    assert "request_seconds is a distribution; it was recorded as a counter." in caplog.text


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_hostile_labels_are_made_safe() -> None:
    metrics.count("apples", a="x" * 10_000, b="a\x00b\nc\x1fd\ud800", c=Hostile(), d=None)
    metrics.observe("weight", Decimal("1.5"))
    metrics.flush()

    (series,) = [one for one in stored() if one.name == "apples"]
    labels = dict(series.labels)
    assert labels["a"] == "x" * 120
    assert labels["b"] == "a\ufffdb\ufffdc\ufffdd\ufffd"
    assert labels["c"] == "unprintable"
    assert labels["d"] == "None"
    assert found("weight").sum == 1.5


def test_too_many_labels_go_to_other() -> None:
    with override_settings(PERFORMANCE=with_metrics(MOST_SERIES=5)):
        for number in range(50):
            metrics.count("visits", path=f"/{number}", method="get")
        metrics.flush()

        assert len([one for one in stored() if one.name == "visits"]) == 6
        assert found("visits", path="other", method="other").count == 45
        assert found("metrics_overflow", metric="visits").count == 45


def test_what_tells_of_the_limits_is_not_under_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cardinality, "MOST_IN_ALL", 3)
    monkeypatch.setattr(cardinality, "MOST_NAMES", 6)
    for number in range(3):
        for name in ("apples", "pears", "plums", "figs", "limes", "dates"):
            metrics.count(name, colour=str(number))
    assert metrics.flush()

    assert found("apples", colour="0").count == 1
    assert found("limes", colour="other").count == 3
    assert found("metrics_overflow", metric="limes").count == 3
    assert found("metrics_dropped", reason="invalid").count == 3


def test_what_the_buffer_cannot_hold_is_counted() -> None:
    with override_settings(PERFORMANCE=with_metrics(MOST_EVENTS=10)):
        for _ in range(25):
            metrics.count("apples")
        metrics.flush()

        assert found("apples").count == 10
        assert found("metrics_dropped", reason="full").count == 15


def test_switched_off_nothing_is_recorded() -> None:
    with override_settings(PERFORMANCE=with_metrics(ENABLED=False)):
        metrics.count("apples")
        assert metrics.flush()
    assert stored() == {}


def test_a_clock_that_steps_back_loses_and_doubles_nothing(at: Callable[[datetime], None]) -> None:
    for seconds in (0, 30, -60, 0, 30):
        at(MOMENT + timedelta(seconds=seconds))
        metrics.count("apples")
        assert metrics.flush()

    assert found("apples").count == 5


def test_timed_as_context_manager_and_decorator() -> None:
    timed = metrics.timed("work_seconds", kind="x")
    with timed, timed:
        pass

    @timed
    def plain(number: int) -> int:
        return number + 1

    @metrics.timed("work_seconds", kind="x")
    async def coroutine() -> str:
        await asyncio.sleep(0)
        return "done"

    @timed
    def failing() -> None:
        raise KeyError("x")

    assert plain(1) == 2
    assert asyncio.run(coroutine()) == "done"
    with pytest.raises(KeyError):
        failing()
    metrics.flush()

    assert found("work_seconds", kind="x").count == 5


def test_callbacks_are_called_before_each_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("performance.metrics.flusher.callbacks", [])

    def failing() -> None:
        raise RuntimeError("no")

    def callback() -> None:
        metrics.gauge("level", 5)

    metrics.on_flush(failing)
    metrics.on_flush(callback)
    metrics.on_flush(callback)
    metrics.count("apples")
    metrics.flush()

    assert found("level").count == 1
