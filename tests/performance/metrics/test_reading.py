from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from performance import metrics
from performance.metrics import rollup
from performance.metrics.reading import (
    MetricsUnavailable,
    Selection,
    read,
    read_many,
    read_what_is_there,
)
from performance.metrics.spans import Kept, spans_of
from performance.models import MetricBucket, MetricSeries
from tests.performance.metrics.conftest import MOMENT
from tests.performance.metrics.settings import with_metrics

pytestmark = pytest.mark.django_db
At = Callable[[datetime], None]


def record(at: At, seconds: float, *, view: str = "a", value: float = 1.0) -> None:
    at(MOMENT + timedelta(seconds=seconds))
    metrics.observe("request_seconds", value, view=view, method="GET", status="2xx")
    metrics.flush()


def test_what_was_never_recorded_is_empty(at: At) -> None:
    (line,) = read("apples", since=MOMENT - timedelta(hours=1), until=MOMENT)
    assert line.labels == {}
    assert [(point.start, point.summary.count) for point in line.points] == [
        (MOMENT - timedelta(hours=1), 0)
    ]
    assert read("apples", since=MOMENT - timedelta(1), until=MOMENT, group_by=("view",)) == []


def test_live_and_rolled_up_are_read_as_one(at: At) -> None:
    for minute in range(6):
        record(at, minute * 60)
        record(at, minute * 60 + 40, view="b", value=3.0)
    at(MOMENT + timedelta(minutes=5))
    now = timezone.now()
    before = read("request_seconds", since=MOMENT - timedelta(minutes=1), until=now)
    rollup.roll_up()
    assert MetricBucket.objects.filter(series__name="request_seconds").count() == 10
    after = read("request_seconds", since=MOMENT - timedelta(minutes=1), until=now)

    for (line,) in (before, after):
        summary = line.points[0].summary
        assert (summary.count, summary.sum) == (11, 21)
        assert (summary.quantile(0.1), summary.quantile(1)) == (1, 3)


def test_group_and_filter_and_step(at: At) -> None:
    for minute in range(4):
        record(at, minute * 60)
        record(at, minute * 60 + 20, view="b")
        record(at, minute * 60 + 30, view="b")
    at(MOMENT + timedelta(minutes=3, seconds=40))
    rollup.roll_up()
    since = MOMENT.replace(second=0)
    lines = read(
        "request_seconds",
        since=since,
        until=since + timedelta(minutes=4),
        group_by=("view",),
        step=timedelta(minutes=1),
    )
    assert [(line.labels, [p.summary.count for p in line.points]) for line in lines] == [
        ({"view": "a"}, [1, 1, 1, 1]),
        ({"view": "b"}, [2, 2, 2, 2]),
    ]
    for labels, expected in (({"view": "b"}, 8), ({"view": ("a", "b")}, 12), ({"view": "c"}, 0)):
        (line,) = read(
            "request_seconds", since=since, until=since + timedelta(minutes=4), labels=labels
        )
        assert line.points[0].summary.count == expected


def test_a_window_that_begins_within_a_minute_is_exact(at: At) -> None:
    for second in range(0, 300, 10):
        record(at, second)
    at(MOMENT + timedelta(seconds=299))
    rollup.roll_up()
    until = MOMENT + timedelta(seconds=295)

    (line,) = read("request_seconds", since=until - timedelta(seconds=170), until=until)
    assert line.points[0].summary.count == 17


def test_hours_serve_what_minutes_no_longer_do(at: At) -> None:
    for hour in range(3):
        for minute in (0, 30):
            record(at, hour * 3600 + minute * 60)
        at(MOMENT + timedelta(hours=hour, minutes=58))
        rollup.roll_up()
    at(MOMENT + timedelta(hours=3, minutes=1))
    rollup.roll_up()
    assert MetricBucket.objects.hours().count() == 3
    since = MOMENT.replace(second=0)
    until = since + timedelta(hours=3)
    with_minutes = read("request_seconds", since=since, until=until, step=timedelta(minutes=30))
    assert [p.summary.count for p in with_minutes[0].points] == [1] * 6
    MetricBucket.objects.minutes().delete()

    hours = read("request_seconds", since=since, until=until, step=timedelta(hours=1))
    assert [p.summary.count for p in hours[0].points] == [2, 2, 2]


def test_costs_two_queries_however_many_are_asked(
    at: At, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for minute in range(3):
        metrics.count("apples")
        record(at, minute * 60)
    at(MOMENT + timedelta(minutes=3))
    rollup.roll_up()
    selections = [
        Selection(
            name=name, since=MOMENT - timedelta(minutes=age), until=MOMENT + timedelta(minutes=4)
        )
        for name in ("request_seconds", "apples", "pears")
        for age in (1, 2, 5)
    ]
    with django_assert_num_queries(2):
        found = read_many(selections)

    assert [lines[0].points[0].summary.count for lines in found] == [3, 3, 3, 3, 3, 3, 0, 0, 0]


def test_without_redis_rows_are_still_read(at: At) -> None:
    record(at, 0)
    record(at, 30)
    at(MOMENT + timedelta(minutes=2))
    rollup.roll_up()
    now = timezone.now()
    with override_settings(PERFORMANCE=with_metrics(LOCATION="redis://127.0.0.1:1/0")):
        (line,) = read("request_seconds", since=MOMENT - timedelta(minutes=1), until=now)
        assert line.points[0].summary.count == 2
        with pytest.raises(MetricsUnavailable):
            read("request_seconds", since=now - timedelta(seconds=30), until=now)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"until": MOMENT}, "must be after since"),
        ({"step": timedelta(0)}, "is too short"),
        ({"step": timedelta(seconds=1)}, "points are too many"),
    ],
)
def test_a_span_that_cannot_be_is_refused(changed: dict[str, object], message: str) -> None:
    asked: dict[str, object] = {"since": MOMENT, "until": MOMENT + timedelta(days=1), **changed}
    with pytest.raises(ValueError, match=message):
        read("apples", **asked)  # type: ignore[arg-type]


def test_rolling_up_twice_changes_nothing(at: At) -> None:
    record(at, 0)
    record(at, 50, view="b")
    at(MOMENT + timedelta(minutes=2))
    first = rollup.roll_up()
    rows = list(MetricBucket.objects.values())
    second = rollup.roll_up()

    assert (first.minute_rows, second.minute_rows) == (2, 0)
    assert list(MetricBucket.objects.values()) == rows
    assert sorted(str(series) for series in MetricSeries.objects.all()) == [
        "request_seconds{method=GET, status=2xx, view=a}",
        "request_seconds{method=GET, status=2xx, view=b}",
    ]


def test_what_comes_late_is_added_and_what_is_lost_is_kept(
    at: At, queue_redis: redis.Redis
) -> None:
    record(at, 0)
    at(MOMENT + timedelta(minutes=2))
    rollup.roll_up()
    record(at, 1)
    at(MOMENT + timedelta(minutes=3))
    rollup.roll_up()
    assert MetricBucket.objects.get().count == 2

    queue_redis.flushdb()
    metrics.forget()
    record(at, 2)
    at(MOMENT + timedelta(minutes=4))
    rollup.roll_up()
    assert MetricBucket.objects.get().count == 2


def test_processes_that_come_and_go_leave_few_series(at: At) -> None:
    with override_settings(PERFORMANCE=with_metrics(MOST_SERIES=5)):
        for number in range(4):
            metrics.forget()  # another process, with other labels
            at(MOMENT + timedelta(minutes=number))
            for label in range(3):
                metrics.count("apples", colour=f"{number}-{label}")
            metrics.flush()
        at(MOMENT + timedelta(minutes=5))
        rollup.roll_up()
        before = list(MetricBucket.objects.values().order_by("id"))
        rollup.roll_up()
        assert list(MetricBucket.objects.values().order_by("id")) == before
    assert MetricSeries.objects.count() == 6
    assert sum(bucket.count for bucket in MetricBucket.objects.all()) == 12
    assert MetricBucket.objects.filter(series__labels={"colour": "other"}).count() == 3


def test_an_hour_whose_end_nobody_rolled_up_is_made_up_for(at: At) -> None:
    record(at, 600)
    at(MOMENT + timedelta(minutes=13))
    rollup.roll_up()
    at(datetime(2026, 3, 4, 15, 30, tzinfo=UTC))
    assert rollup.roll_up().hour_rows == 1
    assert rollup.roll_up().hour_rows == 0
    assert MetricBucket.objects.hours().get().count == 1


def test_slots_that_are_not_kept_are_not_asked_for() -> None:
    """Before the first rows a month would be 259,200 commands to Redis."""
    hour, nothing = timedelta(hours=1), None
    kept = Kept(
        minutes_until=nothing, hours_until=nothing,
        minutes_from=MOMENT - 24 * hour, slots_from=MOMENT - hour, slots_until=MOMENT,
    )  # fmt: skip
    plan = spans_of(MOMENT - timedelta(days=30), MOMENT, hour, kept)
    assert plan.slots == [(MOMENT - hour, MOMENT)]
    assert spans_of(MOMENT - 3 * hour, MOMENT - 2 * hour, None, kept).slots == []
    assert spans_of(MOMENT + hour, MOMENT + timedelta(days=30), None, kept).slots == []


def test_a_clock_that_was_ahead_stops_nothing(at: At) -> None:
    """Rows of tomorrow are no sign that today is done."""
    record(at, 0)
    record(at, 86400)
    for minutes in (30, 65):
        at(MOMENT + timedelta(days=1, minutes=minutes))
        rollup.roll_up()
    assert MetricBucket.objects.hours().exists()
    MetricBucket.objects.filter(start__lt=MOMENT + timedelta(hours=1)).delete()

    record(at, 1800)
    (line,) = read(
        "request_seconds",
        since=MOMENT - timedelta(minutes=1),
        until=MOMENT + timedelta(hours=2),
    )
    assert line.points[0].summary.count == 2
    for minutes in (40, 65):
        at(MOMENT + timedelta(minutes=minutes))
        rollup.roll_up()
    assert [hour.count for hour in MetricBucket.objects.hours().order_by("start")] == [2, 1]


def test_who_can_show_less_is_told_what_is_missing(at: At) -> None:
    record(at, 0)
    at(MOMENT + timedelta(minutes=5))
    rollup.roll_up()
    now = timezone.now()
    wanted = [Selection(name="request_seconds", since=MOMENT - timedelta(minutes=2), until=now)]
    whole = read_what_is_there(wanted)
    assert whole.unavailable is None
    with override_settings(PERFORMANCE=with_metrics(LOCATION="redis://127.0.0.1:1/0")):
        part = read_what_is_there(wanted)
    assert isinstance(part.unavailable, MetricsUnavailable)
    assert part.has_rows
    assert part.rows_until == MOMENT.replace(second=0) + timedelta(minutes=1)
    assert part.lines[0][0].points[0].summary.count == 1


def test_rows_are_merged_by_step_and_group(at: At) -> None:
    for minute in range(4):
        record(at, minute * 60, value=1.0 + minute)
        record(at, minute * 60 + 10, view="b", value=9.0)
    at(MOMENT + timedelta(minutes=6))
    rollup.roll_up()
    since = MOMENT.replace(second=0)
    (line,) = read(
        "request_seconds",
        since=since,
        until=since + timedelta(minutes=4),
        step=timedelta(minutes=2),
    )
    first, second = (point.summary for point in line.points)
    assert (first.count, first.sum, first.min, first.max) == (4, 21, 1, 9)
    assert (second.count, second.sum, second.min, second.max) == (4, 25, 3, 9)
    assert second.quantile(0.01) == pytest.approx(3, rel=0.02)
