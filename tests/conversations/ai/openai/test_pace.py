from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from conversations.ai.base import Event, Waiting
from conversations.ai.exceptions import RateLimited
from conversations.ai.openai import pace
from conversations.ai.openai.options import Options, read
from conversations.ai.openai.pace import Pace, TooLong, at_once
from conversations.ai.openai.ratelimits import exhausted_for, seconds, told
from tests.conversations.ai.openai.asking import (
    DONE,
    GOOD,
    HELLO,
    HELLO_EVENTS,
    SSE,
    STOP,
    backend,
    collect,
    fail,
    play,
)
from tests.conversations.ai.openai.scripted import answering, serving, status

pytestmark = pytest.mark.usefixtures("queue_redis", "_redis_is_there")


@pytest.fixture
def _redis_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_away_until", 0.0)


def options(**limits: Any) -> Options:
    where = {"base_url": "http://127.0.0.1/v1", "model": "m", "api_key": "sk-secret"}
    return read(where | {"limits": limits})


def run[T](work: Callable[[], Awaitable[T]]) -> T:
    async def main() -> T:
        return await work()

    return asyncio.run(main())


async def waits(count: int, tokens: int = 0, **limits: Any) -> list[float]:
    return [await Pace(options(**limits), tokens).wait() for _ in range(count)]


def test_without_limits_nobody_waits() -> None:
    assert run(lambda: waits(50)) == [0] * 50


def test_requests_get_their_turns_in_order() -> None:
    found = run(lambda: waits(6, requests_per_minute=8))
    each = 60 / (8 - 2 + 1)  # two at once, the rest evenly
    assert found[:2] == [0, 0]
    assert found[2:] == pytest.approx([each, 2 * each, 3 * each, 4 * each], abs=0.2)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 60, 1000])
def test_no_minute_has_more_than_the_limit(limit: int) -> None:
    each = pace._each(limit)
    starts = [0.0] * at_once(limit) + [each * number for number in range(1, 2 * limit)]
    for start in starts:
        assert sum(start <= other < start + pace.MINUTE - 1e-6 for other in starts) <= limit


def test_tokens_are_shared_out_as_well() -> None:
    found = run(lambda: waits(3, tokens=2500, tokens_per_minute=10_000))
    each = 60 / (10_000 - 2500 + 1)
    assert found == pytest.approx([0, 2500 * each, 5000 * each], abs=0.2)


def test_a_request_larger_than_the_limit_is_let_through_alone() -> None:
    assert run(lambda: waits(1, tokens=99_000, tokens_per_minute=1000)) == [0]


def test_what_was_estimated_wrong_is_put_right() -> None:
    async def work() -> float:
        first = Pace(options(tokens_per_minute=10_000), 2500)
        await first.wait()
        await first.note(used=100)
        return await Pace(options(tokens_per_minute=10_000), 2400).wait()

    assert run(work) == 0


def test_who_would_wait_too_long_takes_no_turn() -> None:
    async def work() -> float:
        limits = {"requests_per_minute": 1, "longest_wait": 90}
        assert await Pace(options(**limits), 0).wait() == 0
        second = Pace(options(**limits), 0)
        await second.wait()
        for _ in range(3):
            with pytest.raises(TooLong):
                await Pace(options(**limits), 0).wait()
        return await second.wait()

    assert run(work) == pytest.approx(60, abs=0.5)


def test_when_the_provider_says_wait_turns_keep_order_and_distance() -> None:
    async def work() -> list[float]:
        limits = {"requests_per_minute": 8, "longest_wait": 300}
        turns = [Pace(options(**limits), 0) for _ in range(5)]
        for turn in turns[:4]:
            await turn.wait()
        await turns[0].note(block=30)
        return [await turn.wait() for turn in turns]

    each = 60 / 7
    expected = [30, 30, 30 + each, 30 + 2 * each, 30 + 3 * each]
    assert run(work) == pytest.approx(expected, abs=0.3)


def test_a_turn_takes_one_round_trip_and_tells_nothing_of_the_key(queue_redis: Any) -> None:
    async def work() -> None:
        await waits(1, requests_per_minute=1000)  # the server learns the script
        queue_redis.config_resetstat()
        await waits(5, requests_per_minute=1000)

    run(work)
    stats = queue_redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 5
    (key,) = queue_redis.keys("pace:*")
    assert "secret" not in f"{key}{queue_redis.hgetall(key)}"


def test_other_keys_have_limits_of_their_own() -> None:
    one = options()
    other = read({"base_url": one.base_url, "model": "m", "api_key": "sk-other"})
    assert pace.key_of(one) == pace.key_of(options())
    assert pace.key_of(one) != pace.key_of(other)


def test_without_redis_nobody_is_held_back(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.QUEUE_URL = "redis://127.0.0.1:1/0"
    assert run(lambda: waits(20, requests_per_minute=1)) == [0] * 20
    assert fail(RateLimited, status("429 X", "Retry-After: 0.1")) == 4  # as before: no endless loop


def test_a_refused_request_waits_its_turn_and_fails_no_try() -> None:
    refusal = status("429 X", "Retry-After: 0.6")
    events, connections = play(refusal, refusal, GOOD, tries=1)
    assert len(connections) == 3
    assert [event for event in events if not isinstance(event, Waiting)] == HELLO_EVENTS
    said = [event.seconds for event in events if isinstance(event, Waiting)]
    assert said == pytest.approx([0.6, 0, 0.6, 0], abs=0.1)


def test_all_requests_wait_for_what_one_was_told() -> None:
    async def work() -> tuple[list[Event], int]:
        async with serving(status("429 X", "Retry-After: 0.7"), GOOD) as server:
            one = backend(server, limits={"longest_wait": 0.5})
            with pytest.raises(RateLimited):
                await collect(one)
            events = await collect(backend(server))
            return events, len(server.connections)

    events, connections = run(work)
    assert isinstance(events[0], Waiting)
    assert connections == 2


def test_a_provider_that_says_it_is_exhausted_is_let_rest() -> None:
    head = SSE.replace(
        b"Connection",
        b"x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 700ms\r\nConnection",
    )
    last = answering(head, HELLO, STOP, DONE)

    async def work() -> list[Event]:
        async with serving(last, GOOD) as server:
            assert await collect(backend(server)) == HELLO_EVENTS
            return await collect(backend(server))

    events = run(work)
    assert isinstance(events[0], Waiting)
    assert events[-2:] == HELLO_EVENTS


def test_the_longest_wait_holds_for_all_waits_together() -> None:
    assert fail(RateLimited, status("429 X", "Retry-After: 0.2"), limits={"longest_wait": 0.5}) <= 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("12", 12),
        (None, None),
        ("", None),
        ("soon", None),
        ("-1s", None),
        ("9" * 50 + "s", None),
    ],
)
def test_durations(text: str | None, value: float | None) -> None:
    assert seconds(text) == value


def test_headers() -> None:
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "2s",
        "x-ratelimit-remaining-tokens": "5",
        "x-ratelimit-reset-tokens": "9s",
        "x-ratelimit-limit-tokens": "<b>",
    }
    assert exhausted_for(headers) == 2
    assert exhausted_for({}) == 0
    assert told(headers) == {
        "limit_requests": "60",
        "remaining_requests": "0",
        "remaining_tokens": "5",
    }


def test_bad_limits_are_refused() -> None:
    for wrong in ({"requests_per_minute": -1}, {"longest_wait": 0}, {"rpm": 1}):
        with pytest.raises(ValueError, match=r"limits|rpm"):
            options(**wrong)


def test_a_frozen_server_costs_half_a_second_once(
    valkey_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = valkey_server()
    settings.QUEUE_URL = server.url
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("CLIENT", "PAUSE", "3000", "ALL")
    assert run(lambda: waits(10, requests_per_minute=1)) == [0] * 10
    assert pace._away_until > 0
