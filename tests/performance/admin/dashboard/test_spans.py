from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import override_settings

from performance.admin.dashboard import spans
from performance.admin.dashboard.spans import HOUR, MINUTE, RANGES, Span, span_of

NOW = datetime(2026, 3, 4, 12, 0, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("name", RANGES)
def test_every_range_is_cut_into_whole_steps(name: str) -> None:
    chosen = RANGES[name]
    span = span_of(chosen)
    starts = span.starts()
    assert span.live
    assert span.until == NOW
    assert all(start.timestamp() % chosen.step.total_seconds() == 0 for start in starts)
    assert starts[0] == span.since
    assert starts[-1] <= NOW
    assert 24 <= len(starts) <= 400


def test_the_newest_step_counts_what_is_over_of_it() -> None:
    span = span_of(RANGES["1h"])
    assert span.seconds_of(NOW.replace(minute=0, second=0)) == 19  # one second is on its way
    assert span.seconds_of(span.since) == 60


def test_a_step_that_has_just_begun_says_nothing_yet() -> None:
    with time_machine.travel(NOW.replace(second=2), tick=False):
        assert span_of(RANGES["1h"]).starts()[-1] == NOW.replace(hour=11, minute=59, second=0)


def test_the_past_stands_still_and_is_not_ahead_of_now() -> None:
    assert not span_of(RANGES["1h"], NOW - HOUR).live
    assert span_of(RANGES["1h"], NOW + HOUR).until == NOW


def test_where_minutes_are_pruned_hours_are_asked() -> None:
    assert span_of(RANGES["1h"], NOW - timedelta(days=3)).step == HOUR
    earlier = span_of(RANGES["15m"]).earlier()
    assert earlier.step == HOUR
    assert (earlier.since.minute, earlier.until.minute) == (0, 0)
    assert earlier.since <= span_of(RANGES["15m"]).since - spans.DAY


def test_a_tail_holds_the_last_two_steps_at_least() -> None:
    span = span_of(RANGES["1h"])
    assert span.tail(NOW).since == NOW.replace(hour=11, minute=59, second=0)
    assert span.tail(NOW - 10 * MINUTE).since == NOW.replace(hour=11, minute=50, second=0)
    assert span.tail(NOW - timedelta(days=9)).since == span.since


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "2026-13-40T00:00", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_what_is_no_moment_is_none(text: str | None) -> None:
    assert spans.moment_of(text) is None


def test_moments_may_have_lost_their_plus_to_a_query_string() -> None:
    assert spans.moment_of("2026-03-04T13:00:20 01:00") == NOW
    assert spans.moment_of("2026-03-04T12:00:20") == NOW


@pytest.mark.parametrize(
    ("text", "minutes"), [("", 1), ("x", 1), ("61", 2), ("-5", 1), ("9" * 8, 43_200), ("٣", 1)]
)
def test_lengths_are_whole_minutes_within_reason(text: str, minutes: int) -> None:
    assert spans.length_of({"seconds": text}) == minutes * MINUTE


def test_unknown_ranges_are_the_default() -> None:
    assert spans.range_of("1y") is spans.range_of(None) is RANGES["1h"]


def test_a_span_is_as_long_as_it_is() -> None:
    assert Span(since=NOW, until=NOW + HOUR, step=MINUTE).seconds == 3600


@override_settings(TIME_ZONE="Europe/Berlin")
def test_clocks_that_are_put_forward_are_so_from_then_on() -> None:
    day = datetime(2026, 3, 29, tzinfo=UTC)
    span = spans.Span(since=day, until=day + timedelta(hours=6), step=timedelta(hours=1))
    change = day + timedelta(hours=1)
    assert spans.offsets(span) == [(day.timestamp(), 3600), (change.timestamp(), 7200)]
