"""The server away, frozen, full, restarted, or holding what is not ours."""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from performance.cache import remember
from performance.cache.backends import RedisCache, TieredCache
from performance.cache.signals import cache_recovered, cache_unavailable
from tests.performance.cache.conftest import MakeCache
from tests.servers import ThrowAwayValkey

BOTH = pytest.mark.parametrize("cls", [RedisCache, TieredCache])


@pytest.fixture
def server(valkey_server: Callable[..., ThrowAwayValkey]) -> ThrowAwayValkey:
    return valkey_server()


def until(true: Callable[[], Any], seconds: float = 5) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen"
        time.sleep(0.01)
    return time.monotonic() - began


def everything(cache: Any) -> dict[str, Any]:
    """One call of each kind; none may raise."""
    return {
        "get": cache.get("key", "default"),
        "get_many": cache.get_many(["key", "b"]),
        "set": cache.set("key", "new"),
        "set_many": cache.set_many({"key": 1, "b": 2}),
        "add": cache.add("other", 1),
        "delete": cache.delete("key"),
        "delete_many": cache.delete_many(["key"]),
        "has_key": cache.has_key("key"),
        "touch": cache.touch("key"),
        "get_or_set": cache.get_or_set("key", "made"),
        "clear": cache.clear(),
        "ttl": cache.ttl("key"),
        "expire": cache.expire("key", 1),
        "persist": cache.persist("key"),
        "keys": cache.keys("*"),
        "iter_keys": list(cache.iter_keys("*")),
        "smembers": cache.smembers("key"),
        "delete_pattern": cache.delete_pattern("*"),
    }


AWAY = {
    "get": "default", "get_many": {}, "set": False, "set_many": ["key", "b"], "add": False, "delete": False,
    "delete_many": 0, "has_key": False, "touch": False, "get_or_set": "made", "clear": None, "ttl": 0,
    "expire": False, "persist": False, "keys": [], "iter_keys": [], "smembers": set(), "delete_pattern": 0,
}  # fmt: skip


@BOTH
def test_a_killed_server_costs_one_try_and_raises_nothing(
    cls: type[RedisCache],
    server: ThrowAwayValkey,
    make_cache: MakeCache,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = make_cache(cls, server.url)
    cache.set("key", "value")
    cache.get("key")
    server.kill()
    until(lambda: cache.get("key") is None)
    with caplog.at_level(logging.WARNING):
        assert everything(cache) == AWAY
        took = []
        for _ in range(100):
            began = time.perf_counter()
            cache.get("key")
            took.append(time.perf_counter() - began)
        assert statistics.median(took) < 0.001
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) <= 1
    assert sum(cache.stats()["errors_by_class"].values()) > 100
    assert cache.stats()["server"]["up"] is False


@BOTH
def test_the_async_half_raises_nothing_either(
    cls: type[RedisCache], server: ThrowAwayValkey, make_cache: MakeCache
) -> None:
    cache = make_cache(cls, server.url)
    cache.set("key", "value")
    server.kill()
    until(lambda: cache.get("key") is None)

    async def calls() -> list[Any]:
        return [
            await cache.aget("key", 1), await cache.aget_many(["key"]), await cache.aset("key", 1),
            await cache.aset_many({"key": 1}), await cache.aadd("key", 1), await cache.adelete("key"),
            await cache.ahas_key("key"), await cache.atouch("key"), await cache.aclear(),
        ]  # fmt: skip

    assert asyncio.run(calls()) == [1, {}, False, ["key"], False, False, False, False, None]


@BOTH
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_frozen_server_costs_one_time_out(
    cls: type[RedisCache], mode: str, server: ThrowAwayValkey, make_cache: MakeCache
) -> None:
    cache = make_cache(cls, server.url)
    cache.set("warm", 1)
    server.freeze()

    async def aread() -> float:
        began = time.perf_counter()
        assert await cache.aget("key") is None
        return time.perf_counter() - began

    def read() -> float:
        began = time.perf_counter()
        assert cache.get("key") is None
        return time.perf_counter() - began

    first = read() if mode == "sync" else asyncio.run(aread())
    assert first > 0.15
    assert cache.stats()["errors_by_class"]["TimeoutError"] == 1
    later = sorted(read() for _ in range(50))
    assert later[25] < 0.0005
    server.thaw()
    assert until(lambda: cache.set("key", 1)) < 1.5
    assert cache.get("key") == 1


@BOTH
def test_a_delete_that_was_missed_is_made_up_for(
    cls: type[RedisCache], server: ThrowAwayValkey, make_cache: MakeCache
) -> None:
    """The server freezes with a value, the value changes meanwhile: it may not come back."""
    cache = make_cache(cls, server.url)
    cache.set_many({"deleted": "old", "changed": "old", "kept": "old"})
    server.freeze()
    cache.delete("deleted")
    cache.set("changed", "new")
    server.thaw()
    until(lambda: cache.get("kept") == "old")
    assert cache.get("deleted") is None
    assert cache.get("changed") in (None, "new")


def test_a_clear_that_was_missed_is_made_up_for(
    server: ThrowAwayValkey, make_cache: MakeCache
) -> None:
    cache = make_cache(RedisCache, server.url)
    cache.set("key", "old")
    server.freeze()
    cache.clear()
    server.thaw()
    until(lambda: cache.stats()["server"]["up"])
    assert cache.get("key") is None


@BOTH
def test_a_restart_is_noticed_at_once(
    cls: type[RedisCache], server: ThrowAwayValkey, make_cache: MakeCache
) -> None:
    cache = make_cache(cls, server.url)
    cache.set("key", "value")
    assert cache.get("key") == "value"
    server.restart()
    until(lambda: cache.set("again", 1))
    assert cache.get("key") is None
    assert cache.get("again") == 1


@BOTH
def test_a_full_server_refuses_and_keeps_nothing_old(
    cls: type[RedisCache], server: ThrowAwayValkey, make_cache: MakeCache
) -> None:
    cache = make_cache(cls, server.url)
    cache.set_many({"key": "old", "number": 1, "moved": "value"})
    with server.client() as client:
        client.config_set("maxmemory", "1")
        client.config_set("maxmemory-policy", "noeviction")
    assert cache.get("key") == "old"
    assert cache.set("key", "new") is False
    assert cache.set_many({"a": 1, "b": 2}) == ["a", "b"]
    assert cache.add("c", 1) is False
    with pytest.raises(ValueError, match="not found"):
        cache.incr("number")
    with pytest.raises(ValueError, match="not found"):
        cache.incr_version("moved")
    assert (cache.get("number"), cache.get("moved")) == (1, "value")
    assert cache.stats()["errors_by_class"]["OOM"] >= 1
    assert cache.get("key") is None
    assert cache.stats()["server"]["up"] is True


@BOTH
def test_fail_loudly(cls: type[RedisCache], server: ThrowAwayValkey, make_cache: MakeCache) -> None:
    cache = make_cache(cls, server.url, OPTIONS={"FAIL_LOUDLY": True})
    cache.set("key", 1)
    server.kill()
    arguments: dict[str, tuple[Any, ...]] = {
        "get": ("other",), "get_many": (["other"],), "set": ("key", 1), "set_many": ({"key": 1},),
        "add": ("key", 1), "delete": ("key",), "delete_many": (["key"],), "touch": ("key",),
        "has_key": ("other",), "incr": ("key",), "incr_version": ("key",), "clear": (),
    }  # fmt: skip
    for name, given in arguments.items():
        with pytest.raises((redis.RedisError, OSError)):
            getattr(cache, name)(*given)
        with pytest.raises((redis.RedisError, OSError)):
            asyncio.run(getattr(cache, f"a{name}")(*given))
    for extra in (lambda: cache.ttl("key"), lambda: list(cache.iter_keys("*"))):
        with pytest.raises((redis.RedisError, OSError)):
            extra()


def test_observers_are_told_once_each_way(server: ThrowAwayValkey, make_cache: MakeCache) -> None:
    told: list[str] = []

    def away(**kwargs: Any) -> None:
        told.append("away")

    def back(**kwargs: Any) -> None:
        told.append("back")

    cache_unavailable.connect(away)
    cache_recovered.connect(back)
    cache = make_cache(RedisCache, server.url)
    cache.set("key", 1)
    server.kill()
    for _ in range(5):
        cache.get("key")
    server.start()
    until(lambda: cache.stats()["server"]["up"])
    assert until(lambda: told == ["away", "back"], 1) < 1


@BOTH
@pytest.mark.parametrize(
    "data",
    [b"\x80\x04N.", b"\xc1\x01\x00\x00\x00\x00\x00\xc0", b"\xc1\x63xxxxxxx", b"garbage", b""],
)
def test_a_damaged_entry_is_a_miss_and_goes(
    cls: type[RedisCache], data: bytes, make_cache: MakeCache, cache_redis: redis.Redis
) -> None:
    cache = make_cache(cls)
    cache.set("good", 1)
    for _ in range(2):
        name = cache.make_key("bad")
        cache_redis.set(name, data)
        assert cache.get_many(["good", "bad"]) == {"good": 1}
        assert cache_redis.exists(name) == 0
        cache_redis.set(name, data)
        assert cache.get("bad", "default") == "default"
        assert cache_redis.exists(name) == 0
    assert cache.stats()["unreadable"] == 4


@BOTH
def test_a_key_of_another_type_is_a_miss_and_stays(
    cls: type[RedisCache], make_cache: MakeCache, cache_redis: redis.Redis
) -> None:
    cache = make_cache(cls)
    cache.set("good", 1)
    cache_redis.lpush(cache.make_key("list"), "x")
    assert cache.get("list") is None
    assert cache.get_many(["good", "list"]) == {"good": 1}
    assert cache_redis.llen(cache.make_key("list")) == 1


def test_remember_without_a_server_loads_every_time(
    server: ThrowAwayValkey, make_cache: MakeCache, settings: Any
) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "performance.cache.backends.TieredCache", "LOCATION": server.url}
    }
    loads: list[int] = []
    assert remember("key", lambda: loads.append(1) or len(loads)) == 1
    server.kill()
    from django.core.cache import cache

    until(lambda: cache.get("key") is None)
    assert [remember("key", lambda: loads.append(1) or len(loads)) for _ in range(3)] == [2, 3, 4]
