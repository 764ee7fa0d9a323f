"""The network between the cache and its server: cut, half open, slow, silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from performance.cache.backends import RedisCache, TieredCache
from tests.performance.cache.conftest import MakeCache, OverAsync
from tests.proxy import TcpProxy
from tests.servers import ThrowAwayValkey

VALUE = {"text": "".join(chr(33 + n * 7 % 90) for n in range(5000))}
MODES = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture
def proxy(valkey_server: Callable[..., ThrowAwayValkey]) -> Iterator[TcpProxy]:
    with TcpProxy(valkey_server().port) as proxy:
        yield proxy


def until(true: Callable[[], Any], seconds: float = 5) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen"
        time.sleep(0.005)


def in_mode(cache: Any, mode: str) -> Any:
    return OverAsync(cache) if mode == "async" else cache


@MODES
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_a_reply_cut_in_the_middle_is_asked_for_again(
    share: float, mode: str, proxy: TcpProxy, make_cache: MakeCache
) -> None:
    made = make_cache(RedisCache, proxy.url)
    cache = in_mode(made, mode)
    cache.set_many({"key": VALUE, "other": 1})
    for read in (lambda: cache.get("key"), lambda: cache.get_many(["key"]).get("key")):
        assert read() == VALUE
        for line in list(proxy.lines):
            line.bytes_left = int(share * 4000)
        assert read() == VALUE
        assert cache.get("other") == 1
    assert made.stats()["errors_by_class"] == {}


@MODES
def test_what_may_not_happen_twice_is_not_asked_for_again(
    mode: str, proxy: TcpProxy, make_cache: MakeCache
) -> None:
    """The server counted, but its answer was lost: to count again would be wrong."""
    cache = in_mode(make_cache(RedisCache, proxy.url), mode)
    cache.set("number", 1)
    for line in list(proxy.lines):
        line.bytes_left = 1
    with pytest.raises(ValueError, match="number"):
        cache.incr("number")
    until(lambda: cache.get("number") == 2)
    assert cache.incr("number") == 3


@MODES
def test_a_connection_that_was_closed_while_idle_costs_nothing(
    mode: str, proxy: TcpProxy, make_cache: MakeCache
) -> None:
    made = make_cache(RedisCache, proxy.url)
    cache = in_mode(made, mode)
    cache.set("number", 1)
    for number in range(2, 5):
        for line in list(proxy.lines):
            line.cut()
        time.sleep(0.05)
        assert cache.incr("number") == number
    assert made.stats()["errors_by_class"] == {}


@MODES
def test_a_late_reply_is_nobody_elses(mode: str, proxy: TcpProxy, make_cache: MakeCache) -> None:
    made = make_cache(RedisCache, proxy.url)
    cache = in_mode(made, mode)
    cache.set_many({f"k{number}": number for number in range(5)})
    for line in list(proxy.lines):
        line.delay = 0.35
    assert cache.get("k1") is None
    assert [cache.get(f"k{number}") for number in range(5)] == [None] * 5
    assert made.stats()["errors_by_class"]["TimeoutError"] == 1
    time.sleep(0.3)
    until(lambda: cache.get("k2") == 2)
    assert [cache.get(f"k{number}") for number in range(5)] == list(range(5))


def test_a_silent_network_costs_one_time_out(proxy: TcpProxy, make_cache: MakeCache) -> None:
    cache = make_cache(RedisCache, proxy.url)
    cache.set("key", 1)
    for line in list(proxy.lines):
        line.stall()
    assert [cache.get("key") for _ in range(20)] == [None] * 20
    assert cache.stats()["errors_by_class"]["TimeoutError"] == 1
    until(lambda: cache.get("key") == 1)  # over connections made since


def warm(cache: TieredCache) -> None:
    """Until the first tier has it, and the message of our own write is not on its way any more."""
    cache.set("key", "old")
    time.sleep(0.05)
    assert cache.get("key") == "old"
    assert cache.make_key("key") in cache.engine.local.slots


def test_a_lost_link_empties_the_first_tier_and_bypasses_it(
    proxy: TcpProxy, make_cache: MakeCache
) -> None:
    cache = make_cache(TieredCache, proxy.url)
    warm(cache)
    proxy.delay = 0.3  # nobody gets a new link before that
    for line in proxy.those(b"TRACKING"):
        line.cut()
    until(lambda: not cache.engine.local.is_open, 0.5)
    assert cache.engine.local.slots == {}
    assert cache.get("key") == "old"  # from the server
    assert cache.stats()["local"]["links_lost"] == 1
    proxy.delay = 0
    assert cache.engine.tracker.wait(5)
    warm(cache)


def test_a_half_open_link_is_found_out_within_a_second(
    proxy: TcpProxy, make_cache: MakeCache
) -> None:
    """Nothing says that the link is dead; the tier may not trust it for longer than its silence."""
    cache = make_cache(TieredCache, proxy.url)
    warm(cache)
    [link] = proxy.those(b"TRACKING")
    link.stall()
    writer = make_cache(RedisCache, proxy.url, KEY_PREFIX=cache.key_prefix)
    writer.set("key", "new")
    began = time.monotonic()
    until(lambda: cache.get("key") == "new", 2)
    assert time.monotonic() - began < 1.2
    assert cache.engine.tracker.losses == 1
    assert cache.engine.tracker.wait(5)
    warm(cache)


def test_a_message_cut_in_the_middle_is_no_message(proxy: TcpProxy, make_cache: MakeCache) -> None:
    cache = make_cache(TieredCache, proxy.url)
    warm(cache)
    [link] = proxy.those(b"TRACKING")
    link.bytes_left = 9
    make_cache(RedisCache, proxy.url, KEY_PREFIX=cache.key_prefix).set("key", "new")
    until(lambda: cache.get("key") == "new", 2)
    assert cache.engine.tracker.losses == 1


def test_a_coroutine_that_is_cancelled_leaves_no_reply_behind(
    proxy: TcpProxy, make_cache: MakeCache
) -> None:
    cache = make_cache(RedisCache, proxy.url, OPTIONS={"SOCKET_TIMEOUT": 2})
    cache.set_many({"a": 1, "b": 2})

    async def scenario() -> list[int]:
        for line in list(proxy.lines):
            line.delay = 0.1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await cache.aget("a")
        return [await cache.aget("b"), await cache.aget("a")]

    assert asyncio.run(scenario()) == [2, 1]
