"""What Django's documentation promises of a cache, of every backend, sync and async, one server or three."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import redis
from django.core.cache.backends.base import CacheKeyWarning, InvalidCacheKey

from performance.cache.backends import RedisCache
from performance.cache.keys import lease_of
from tests.performance.cache.conftest import MakeCache


def test_set_then_get(cache: Any) -> None:
    cache.set("key", "value")
    assert cache.get("key") == "value"


def test_get_of_what_is_not_there(cache: Any) -> None:
    assert cache.get("nothing") is None
    assert cache.get("nothing", "instead") == "instead"


def test_none_is_a_value(cache: Any) -> None:
    cache.set("none", None)
    assert cache.get("none", "instead") is None
    assert cache.get_many(["none"]) == {"none": None}
    assert cache.has_key("none")
    assert cache.get_or_set("none", "another") is None


def test_add_keeps_what_is_there(cache: Any) -> None:
    assert cache.add("key", "first") is True
    assert cache.add("key", "second") is False
    assert cache.get("key") == "first"


def test_add_with_no_time_stores_nothing(cache: Any) -> None:
    assert cache.add("key", 1, timeout=0) is True
    assert cache.get("key") is None
    cache.set("there", 1)
    assert cache.add("there", 2, timeout=0) is False
    assert cache.get("there") == 1


@pytest.mark.parametrize(
    "default", ["value", None, lambda: "value"], ids=["value", "None", "callable"]
)
def test_get_or_set(cache: Any, default: Any) -> None:
    expected = default() if callable(default) else default
    assert cache.get_or_set("key", default) == expected
    assert cache.get("key", "unset") == expected
    assert cache.get_or_set("key", "another") == expected


def test_get_many(cache: Any) -> None:
    cache.set_many({"a": 1, "b": "two", "c": None})
    assert cache.get_many(["a", "c", "missing", "b"]) == {"a": 1, "b": "two", "c": None}
    assert cache.get_many(iter(["a", "a"])) == {"a": 1}
    assert cache.get_many([]) == {}


def test_set_many_says_that_nothing_failed(cache: Any) -> None:
    assert cache.set_many({"a": 1, "b": 2}) == []
    assert cache.set_many({}) == []


def test_set_many_with_a_time(cache: Any) -> None:
    cache.set_many({"a": 1, "b": 2}, 0.05)
    time.sleep(0.1)
    assert cache.get_many(["a", "b"]) == {}
    cache.set_many({"a": 1}, timeout=0)
    assert cache.get("a") is None


def test_delete(cache: Any) -> None:
    cache.set("key", 1)
    assert cache.delete("key") is True
    assert cache.get("key") is None
    assert cache.delete("key") is False


def test_delete_many(cache: Any) -> None:
    cache.set_many({"a": 1, "b": 2, "c": 3})
    cache.delete_many(iter(["a", "b", "missing"]))
    assert cache.get_many(["a", "b", "c"]) == {"c": 3}
    cache.delete_many([])
    assert cache.get("c") == 3


def test_has_key_and_in(cache: Any) -> None:
    cache.set("key", 0)
    assert cache.has_key("key") is True
    assert "key" in cache
    assert cache.has_key("missing") is False
    assert "missing" not in cache


def test_incr_and_decr(cache: Any) -> None:
    cache.set("n", 40)
    assert cache.incr("n") == 41
    assert cache.incr("n", 10) == 51
    assert cache.decr("n") == 50
    assert cache.decr("n", 60) == -10
    assert cache.incr("n", -1) == -11
    assert cache.get("n") == -11


def test_incr_of_numbers_that_redis_cannot_count(cache: Any) -> None:
    cache.set_many({"float": 1.5, "large": 2**63 - 1, "larger": 2**70})
    assert cache.incr("float", 1) == 2.5
    assert cache.incr("large") == 2**63
    assert cache.incr("larger", -1) == 2**70 - 1
    assert cache.get("large") == 2**63


def test_incr_keeps_the_time(cache: Any) -> None:
    cache.set("n", 1, 0.2)
    cache.set("f", 1.5, 0.2)
    cache.incr("n")
    cache.incr("f")
    time.sleep(0.3)
    assert cache.get_many(["n", "f"]) == {}


@pytest.mark.parametrize("method", ["incr", "decr", "incr_version", "decr_version"])
def test_change_of_what_is_not_there(cache: Any, method: str) -> None:
    with pytest.raises(ValueError, match="not found"):
        getattr(cache, method)("missing")


@pytest.mark.parametrize(
    ("timeout", "lives"),
    [
        (None, True),
        (100, True),
        (0, False),
        (-1, False),
        (-100, False),
        (0.05, False),
        (10**12, True),
    ],
)
def test_timeouts(cache: Any, timeout: float | None, lives: bool) -> None:
    cache.set("key", "before")
    cache.set("key", "value", timeout)
    if timeout is not None and 0 < timeout < 1:
        assert cache.get("key") == "value"
        time.sleep(timeout + 0.05)
    assert (cache.get("key") == "value") is lives
    assert ("key" in cache) is lives


def test_the_default_timeout(make_any: MakeCache) -> None:
    brief = make_any(TIMEOUT=1)
    brief.set("key", 1)
    assert 0 < brief.pttl("key") <= 1000
    forever = make_any(TIMEOUT=None)
    forever.set("key", 1)
    assert forever.ttl("key") is None


def test_touch(cache: Any) -> None:
    cache.set("key", 1, 0.15)
    assert cache.touch("key", 100) is True
    time.sleep(0.2)
    assert cache.get("key") == 1
    assert cache.touch("key", None) is True
    assert cache.ttl("key") is None
    assert cache.touch("key", None) is True
    assert cache.touch("key", 0) is True
    assert cache.get("key") is None
    assert cache.touch("missing") is False
    assert cache.touch("missing", None) is False


def test_touch_with_the_default(cache: Any) -> None:
    cache.set("key", 1, timeout=10)
    assert cache.touch("key") is True
    assert 290 < cache.ttl("key") <= 300


def test_versions_do_not_see_each_other(cache: Any) -> None:
    cache.set("key", "one")
    cache.set("key", "two", version=2)
    assert cache.get("key") == cache.get("key", version=1) == "one"
    assert cache.get("key", version=2) == "two"
    assert cache.get_many(["key"], version=2) == {"key": "two"}
    cache.delete("key", version=2)
    assert cache.get("key", version=2) is None
    assert cache.has_key("key", version=1)
    assert cache.add("key", "new", version=2)
    cache.set_many({"key": "three"}, version=3)
    cache.delete_many(["key"], version=2)
    assert [cache.get("key", version=v) for v in (1, 2, 3)] == ["one", None, "three"]


def test_incr_version(cache: Any) -> None:
    cache.set("key", "value", 100)
    assert cache.incr_version("key") == 2
    assert cache.get("key") is None
    assert cache.get("key", version=2) == "value"
    assert 90 < cache.ttl("key", version=2) <= 100
    assert cache.decr_version("key", version=2) == 1
    assert cache.get("key") == "value"
    assert cache.incr_version("key", 5) == 6


def test_another_version_by_default(make_any: MakeCache) -> None:
    one, two = make_any(KEY_PREFIX="v"), make_any(KEY_PREFIX="v", VERSION=2)
    one.set("key", "one")
    assert two.get("key") is None
    assert two.get("key", version=1) == "one"


def test_prefixes_do_not_see_each_other(make_any: MakeCache) -> None:
    one, two = make_any(KEY_PREFIX="one"), make_any(KEY_PREFIX="two")
    one.set("key", 1)
    assert two.get("key") is None


def test_clear_takes_its_own_prefix_only(make_any: MakeCache) -> None:
    one, two = make_any(KEY_PREFIX="one"), make_any(KEY_PREFIX="one*")
    one.set_many({f"k{n}": n for n in range(50)})
    one.set("key", 1, version=7)
    two.set("key", "stays")
    one.clear()
    assert one.get_many([f"k{n}" for n in range(50)]) == {}
    assert one.get("key", version=7) is None
    assert two.get("key") == "stays"
    two.clear()
    assert two.get("key") is None


@pytest.mark.parametrize("prefix", ["p", "", "p*[x"])
def test_clear_leaves_longer_prefixes_alone(
    prefix: str, make_any: MakeCache, settings: Any
) -> None:
    settings.CACHES = {"default": settings.CACHES["default"], "n": {"KEY_PREFIX": f"{prefix}:1"}}
    outer, inner = make_any(KEY_PREFIX=prefix), make_any(KEY_PREFIX=f"{prefix}:x")
    numbered = make_any(KEY_PREFIX=f"{prefix}:1")
    for cache in (outer, inner, numbered):
        cache.set("k", "v")
    outer.set("k", "v", version=7)
    outer.clear()
    assert (outer.get("k"), outer.get("k", version=7)) == (None, None)
    assert (inner.get("k"), numbered.get("k")) == ("v", "v")
    for cache in (inner, numbered):
        cache.clear()
        assert cache.get("k") is None


def test_clear_with_a_version_that_is_no_number(make_any: MakeCache) -> None:
    cache = make_any(VERSION="beta")
    cache.set("k", "v")
    cache.clear()
    assert cache.get("k") is None


def test_clear_takes_leases_too(make_cache: MakeCache, cache_redis: redis.Redis) -> None:
    cache = make_cache(RedisCache)
    held = cache_redis.set(lease_of(cache.make_key("k")), "token")
    assert held
    cache.clear()
    assert not cache_redis.exists(lease_of(cache.make_key("k")))


def test_key_function(make_any: MakeCache) -> None:
    cache = make_any(
        KEY_PREFIX="p", KEY_FUNCTION=lambda key, prefix, version: f"{version}/{key}@{prefix}"
    )
    cache.set("key", 1)
    assert cache.get("key") == 1
    assert cache.make_key("key") == "1/key@p"
    other = make_any(KEY_PREFIX="q", KEY_FUNCTION=cache.key_func)
    other.set("key", 2)
    cache.clear()
    assert cache.get("key") is None
    assert other.get("key") == 2


@pytest.mark.parametrize("key", ["ключ", "clé ☃", "{braces}x", "}{", "a:b:c", 5, "x" * 200])
def test_strange_keys(cache: Any, key: Any) -> None:
    with pytest.warns() if key == "clé ☃" else _nothing():
        cache.set(key, "value")
        assert cache.get(key) == "value"
        assert cache.get_many([key]) == {key: "value"}
        assert cache.delete(key)


@pytest.mark.parametrize("key", ["with space", "tab\t", "x" * 251])
def test_keys_that_memcached_refuses_warn(cache: Any, key: str) -> None:
    for call in (
        lambda: cache.set(key, 1),
        lambda: cache.get(key),
        lambda: cache.get(key),
        lambda: cache.get_many([key]),
        lambda: cache.set_many({key: 1}),
        lambda: cache.delete_many([key]),
        lambda: cache.add(key, 1),
        lambda: cache.incr(key),
        lambda: cache.touch(key),
        lambda: cache.delete(key),
    ):
        with pytest.warns(CacheKeyWarning, match="memcached"):
            call()


def test_a_validation_of_the_sites_own(make_cache: MakeCache) -> None:
    from performance.cache.backends import TieredCache

    class Strict(TieredCache):
        def validate_key(self, key: str) -> None:
            if "!" in key:
                raise ValueError(key)

    cache = make_cache(Strict)
    with pytest.raises(ValueError, match="!"):
        cache.set("wow!", 1)


def test_many_keys_at_once(cache: Any) -> None:
    data = {f"key{number}": {"number": number} for number in range(300)}
    cache.set_many(data)
    assert cache.get_many(data) == data
    cache.delete_many(data)
    assert cache.get_many(data) == {}


def test_a_value_of_a_megabyte(cache: Any) -> None:
    import random

    value = random.Random(1).randbytes(1_000_000)
    cache.set("large", value)
    assert cache.get("large") == value


def test_a_caller_cannot_change_what_others_see(cache: Any) -> None:
    value = {"list": [1, 2], "inner": {"a": [3]}}
    cache.set("key", value)
    value["list"].append("changed")
    for _ in range(3):
        found = cache.get("key")
        assert found == {"list": [1, 2], "inner": {"a": [3]}}
        found["list"].append(3)
        found["inner"]["a"].clear()


def test_django_redis_methods(cache: Any) -> None:
    cache.set_many({"a1": 1, "a2": 2, "b": 3}, timeout=50)
    assert sorted(cache.keys("a*")) == sorted(cache.iter_keys("a*")) == ["a1", "a2"]
    assert 0 < cache.ttl("b") <= 50
    assert cache.expire("b", 5) is True
    assert 0 < cache.pttl("b") <= 5000
    assert cache.persist("b") is True
    assert cache.ttl("b") is None
    assert cache.delete_pattern("a*") == 2
    assert cache.get_many(["a1", "a2", "b"]) == {"b": 3}
    with cache.lock("lock", timeout=5):
        assert cache.lock("lock", timeout=5).acquire(blocking=False) is False
    cache.sadd("set", "x", ("y", 1))
    assert cache.smembers("set") == {"x", ("y", 1)}
    cache.hset("hash", "field", {"v": 1})
    assert cache.hkeys("hash") == ["field"]


def test_set_only_where_there_is_or_is_not(cache: Any) -> None:
    if not hasattr(cache, "wrapped"):
        assert cache.set("key", 1, xx=True) is False
        assert cache.set("key", 1, nx=True) is True
        assert cache.set("key", 2, nx=True) is False
        assert cache.get("key") == 1
        assert cache.set("key", 3, xx=True) is True
        assert cache.get("key") == 3


def test_close_lets_it_be_used_again(cache: Any) -> None:
    cache.set("key", 1)
    cache.close()
    assert cache.get("key") == 1


class _nothing:  # noqa: N801 - reads as a function
    def __enter__(self) -> None: ...

    def __exit__(self, *args: object) -> None: ...


def test_a_key_without_a_form_in_utf_8_is_refused_alone(make_cache: MakeCache) -> None:
    cache = make_cache()

    async def three() -> list[Any]:
        keys = ["a", "\ud800", "b"]
        return await asyncio.gather(*map(cache.aget, keys), return_exceptions=True)

    before, refused, after = asyncio.run(three())
    assert (before, after) == (None, None)
    assert isinstance(refused, InvalidCacheKey)
    with pytest.raises(InvalidCacheKey, match="surrogate"):
        cache.set("\ud800", 1)


@pytest.mark.parametrize("timeout", [10**15, 10**18, float("inf")])
def test_longer_than_redis_counts_is_for_ever(cache: Any, timeout: float) -> None:
    cache.set("key", "value", timeout)
    assert cache.touch("key", timeout) is True
    assert cache.add("another", "value", timeout) is True
    assert cache.get_many(["key", "another"]) == {"key": "value", "another": "value"}
    assert cache.ttl("key") is None
