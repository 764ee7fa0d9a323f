"""What a task declares: when it is tried again, and keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from performance.queues import Idempotent, Limit, Retry, Schedule
from performance.queues.options import TaskOptions, key_for


class Busy(Exception):
    retry_after = 7


def test_retries_wait_twice_as_long_each_time_with_jitter() -> None:
    retry = Retry(times=6, backoff=2, longest=20)
    for failures, full in enumerate([2, 4, 8, 16, 20, 20], start=1):
        delays = {retry.delay(ValueError(), failures) for _ in range(50)}
        assert all(delay is not None and full / 2 <= delay <= full for delay in delays)
        assert len(delays) > 1
    assert retry.delay(ValueError(), 7) is None


def test_only_exceptions_that_are_worth_it() -> None:
    retry = Retry(on=(OSError, ValueError), never=(UnicodeError, PermissionError))
    assert retry.delay(ConnectionError(), 1) is not None
    assert retry.delay(PermissionError(), 1) is None
    assert retry.delay(UnicodeError(), 1) is None
    assert retry.delay(KeyError(), 1) is None


def test_an_exception_may_say_when() -> None:
    assert Retry().delay(Busy(), 1) == 7
    assert Retry(longest=5).delay(Busy(), 1) == 5


def test_no_retries_by_count() -> None:
    assert Retry(times=0).delay(ValueError(), 1) is None


@pytest.mark.parametrize(
    ("declare", "complaint"),
    [
        (lambda: TaskOptions(timeout=0), "TaskOptions: timeout is 0"),
        (lambda: TaskOptions(ttl=-1), "TaskOptions: ttl is -1"),
        (lambda: Retry(times=-1), "Retry: times is -1"),
        (lambda: Idempotent(key="", keep=0), "Idempotent: keep is 0"),
        (lambda: Limit(concurrency=0), "Limit: concurrency is 0"),
        (lambda: Limit(rate="-5/m"), "not '-5/m'"),
        (lambda: Schedule(), "Schedule: every is None"),
        (lambda: Schedule(every=1, cron="* * * * *"), "Schedule: every is 1"),
        (lambda: Schedule(every=0), "Schedule: every is 0"),
        (lambda: Schedule(cron="61 * * * *"), "Schedule: cron is '61"),
        (lambda: Schedule(cron="0 0 30 2 *"), "Schedule: cron is '0 0 30"),
        (lambda: Schedule(cron="0 3 * * *", time_zone="Berlin"), "Schedule: time_zone is"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_declared(
    declare: Callable[[], object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        declare()


def test_retries_for_ever() -> None:
    assert 150 <= (Retry(times=10**9).delay(ValueError(), 5000) or 0) <= 300


def test_a_key_is_a_template_or_a_function() -> None:
    assert key_for("{user}-{kind}", [], {"user": 3, "kind": "pdf"}) == "3-pdf"
    assert key_for(lambda first, *, user: f"{first}/{user}", ["a"], {"user": 3}) == "a/3"
    with pytest.raises(ValueError, match="'user'"):
        key_for("{user}", [3], {})
