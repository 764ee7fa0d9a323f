"""What a task declares: when it is tried again, and keys."""

from __future__ import annotations

import pytest

from performance.queues import Retry
from performance.queues.options import key_for


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


def test_a_key_is_a_template_or_a_function() -> None:
    assert key_for("{user}-{kind}", [], {"user": 3, "kind": "pdf"}) == "3-pdf"
    assert key_for(lambda first, *, user: f"{first}/{user}", ["a"], {"user": 3}) == "a/3"
    with pytest.raises(ValueError, match="'user'"):
        key_for("{user}", [3], {})
