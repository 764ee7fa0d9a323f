"""What a hit costs, in calls and round trips: times are for the benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from performance.cache import freeze
from performance.cache.backends import RedisCache
from tests.performance.cache.conftest import MakeCache

MESSAGES = freeze([{"id": number, "text": f"message {number}"} for number in range(50)])


def calls_of(work: Callable[[], Any]) -> tuple[list[str], list[str]]:
    """Names of the functions that `work` calls: Python's and C's."""
    python: list[str] = []
    compiled: list[str] = []

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            python.append(frame.f_code.co_name)
        elif event == "c_call":
            compiled.append(argument.__name__)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return python[1:], compiled[:-1]  # without `work` and `setprofile`


def ended_by(coroutine: Coroutine[Any, Any, Any]) -> Iterator[Any]:
    """The result of a coroutine that never waits; whatever it waits for is yielded first."""
    yield from coroutine.__await__()


@pytest.fixture
def tiered(make_cache: MakeCache) -> Any:
    """Holds MESSAGES, and need not look at its link for the next hour."""
    cache = make_cache()
    cache.set("key", MESSAGES)
    assert cache.get("key") is cache.get("key")
    cache.engine.tracker.fresh_until += 3600
    cache.engine.tracker.drain = lambda: True
    return cache


def test_a_hit_in_the_first_tier_is_one_call(tiered: Any) -> None:
    assert calls_of(lambda: tiered.get("key")) == (["get"], ["get", "monotonic"])


def test_an_async_hit_in_the_first_tier_awaits_nothing(tiered: Any) -> None:
    coroutine = tiered.aget("key")
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value == MESSAGES
    coroutine = tiered.aget("key")
    python, _ = calls_of(lambda: next(ended_by(coroutine), None))
    assert python[1:] == ["aget", "name", "held"]


def test_a_hit_in_the_second_tier_is_one_round_trip(make_cache: MakeCache) -> None:
    cache = make_cache(RedisCache)
    cache.set("key", "value " * 30)
    cache.get("key")
    python, compiled = calls_of(lambda: cache.get("key"))
    assert (compiled.count("sendall"), compiled.count("recv")) == (1, 1)
    assert len(python) <= 18, " ".join(python)


def test_rows_are_read_as_one(make_cache: MakeCache) -> None:
    cache = make_cache(RedisCache)
    cache.set("key", MESSAGES)
    cache.get("key")
    python, _ = calls_of(lambda: cache.get("key"))
    assert len(python) <= 23, python


def test_many_hits_in_the_first_tier_ask_nobody(tiered: Any) -> None:
    python, compiled = calls_of(lambda: tiered.get_many(["key"] * 10))
    assert "sendall" not in compiled
    assert len(python) <= 2 + 3 * 10, python
