from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from performance.admin.dashboard.charts import CHARTS
from performance.admin.dashboard.spans import HOUR, Span
from tests.performance.admin.dashboard.measurements import (
    SPAN,
    START,
    counted,
    line,
    measured,
    observed,
    sampled,
    shifted,
)

DAY = timedelta(days=1)
REQUESTS = [
    line([observed(*[0.1] * 90), observed(*[0.1] * 60), None], view="a", status="2xx"),
    line([None, observed(*[2.0] * 20), None], view="a", status="5xx"),
]


def lines(name: str, now: Any, before: Any = None) -> dict[str, list[float | None]]:
    return {one["label"]: one["values"] for one in CHARTS[name].data(now, before)["lines"]}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_can_be_drawn_of_nothing(name: str) -> None:
    data = CHARTS[name].data(measured(), measured())
    assert data["step"] == 60
    assert data["x"] == [int(START.timestamp()) + 60 * number for number in range(3)]
    assert all(value is None for one in data["lines"] for value in one["values"])
    assert all(len(one["values"]) == 3 for one in data["lines"])


def test_requests_errors_and_latency() -> None:
    now = measured(requests=REQUESTS)
    assert lines("requests", now) == {"all": [1.5, 1.333, None]}
    assert lines("errors", now)["failed (5xx)"] == [0.0, 0.25, None]
    latency = lines("latency", now)
    assert latency["p50"] == [pytest.approx(0.1, rel=0.02)] * 2 + [None]
    assert latency["p99"][1] == pytest.approx(2.0, rel=0.02)


def test_the_day_before_lies_under_the_times_of_today() -> None:
    earlier = Span(since=SPAN.since - DAY, until=SPAN.until - DAY, step=SPAN.step)
    before = measured(earlier, requests=shifted(REQUESTS, -DAY))
    assert lines("requests", measured(), before)["day before"] == [1.5, 1.333, None]
    hour = Span(since=START - DAY, until=START - DAY + HOUR, step=HOUR)
    whole = shifted([line([observed(*[0.1] * 3600)], status="2xx")], -DAY)
    before = measured(hour, requests=whole)
    assert lines("requests", measured(), before)["day before"] == [1.0, 1.0, 1.0]


def test_hit_rates_have_a_line_for_each_alias() -> None:
    now = measured(
        cache_hits=[line([counted(3), None, None], alias="default")],
        cache_misses=[
            line([counted(1), None, None], alias="default"),
            line([counted(1), None, None], alias="tools"),
        ],
    )
    assert lines("hit_rate", now) == {"default": [0.75, None, None], "tools": [0.0, None, None]}


def test_levels_keep_their_order_and_show_their_worst_sample() -> None:
    both = sampled(2) + sampled(8)
    now = measured(queue_length=[line([both, None, None], level="low")])
    found = lines("waiting", now)
    assert list(found) == ["critical", "urgent", "high", "normal", "low"]
    assert found["low"] == [8, None, None]


def test_failed_and_parked_tasks_are_failures() -> None:
    now = measured(
        tasks=[
            line([observed(*[1.0] * 60), None, None], status="successful"),
            line([observed(*[1.0] * 30), None, None], status="failed"),
            line([observed(*[1.0] * 30), None, None], status="parked"),
        ]
    )
    assert lines("tasks", now)["failed"] == [1.0, None, None]
    assert lines("tasks", now)["all"] == [2.0, None, None]
