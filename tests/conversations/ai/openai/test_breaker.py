from __future__ import annotations

import pytest

from conversations.ai.exceptions import BackendOverloaded, BackendUnreachable, RateLimited
from conversations.ai.openai import breaker
from conversations.ai.openai.breaker import FAILURES, PAUSE, Breaker


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    return now


def broken() -> Breaker:
    one = Breaker()
    for _ in range(FAILURES):
        one.enter()
        one.note(BackendOverloaded())
    return one


def test_opens_after_failures_in_a_row(clock: list[float]) -> None:
    with pytest.raises(BackendUnreachable) as caught:
        broken().enter()
    assert caught.value.retry_after == PAUSE


def test_a_refusal_shows_that_the_server_is_up(clock: list[float]) -> None:
    one = Breaker()
    for _ in range(FAILURES):
        one.note(BackendOverloaded())
        one.note(RateLimited())
    one.enter()


def test_one_request_at_a_time_sees_whether_it_is_back(clock: list[float]) -> None:
    one = broken()
    clock[0] += PAUSE
    one.enter()
    with pytest.raises(BackendUnreachable):
        one.enter()
    one.succeeded()
    one.enter()
    one.enter()
