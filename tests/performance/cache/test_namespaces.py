from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis
from django.conf import settings as site
from django.core.cache import caches

from performance.cache import families, namespace, remember
from performance.cache.engine import close_engines
from performance.cache.fleet import Reporter, collect


@pytest.fixture(autouse=True, params=["RedisCache", "TieredCache"])
def backend(request: pytest.FixtureRequest, settings: Any, cache_redis: redis.Redis) -> Any:
    place = {"BACKEND": f"performance.cache.backends.{request.param}", "LOCATION": site.CACHE_URL}
    settings.CACHES = {"default": {**place, "KEY_PREFIX": "n"}}
    yield
    close_engines()


def test_set_get_delete() -> None:
    space = namespace("user:1")
    assert space.get("a") is None
    assert space.set("a", 1) is True
    assert space.get("a") == 1
    assert space.delete("a") is True
    assert space.get("a", "gone") == "gone"


def test_clear_forgets_its_own_keys_alone() -> None:
    one, two = namespace("user:1"), namespace("user:2")
    for space in (one, two):
        space.set("a", 1)
        space.set("b", 2)
    one.clear()
    assert (one.get("a"), one.get("b")) == (None, None)
    assert (two.get("a"), two.get("b")) == (1, 2)


def test_any_part_clears() -> None:
    both = namespace("conversation:5", "user:1")
    both.set("a", 1)
    namespace("user:1").clear()
    assert both.get("a") is None
    both.set("a", 2)
    namespace("conversation:5").clear()
    assert both.get("a") is None


def test_clear_is_one_write_whatever_the_size(cache_redis: redis.Redis) -> None:
    space = namespace("large")
    for number in range(200):
        space.set(str(number), number)

    def calls() -> int:
        stats = cache_redis.info("commandstats")
        return sum(
            stats.get(name, {}).get("calls", 0) for name in ("cmdstat_set", "cmdstat_unlink")
        )

    def cost() -> int:
        before = calls()
        space.clear()
        return calls() - before

    # The generation, and the lease that might be on it. The least of several: other tests run
    # beside this one on the same server.
    assert min(cost() for _ in range(7)) == 2
    assert space.get("7") is None


def test_a_generation_that_was_evicted_brings_nothing_back(cache_redis: redis.Redis) -> None:
    space = namespace("user:1")
    space.set("a", "old")
    space.clear()
    space.set("a", "new")
    cache_redis.delete("n:1:generation:user:1")
    import time

    time.sleep(0.05)
    assert space.get("a") is None


def test_a_generation_that_is_none_caches_nothing_until_a_clear() -> None:
    caches["default"].set("generation:user:1", "mine")
    space = namespace("user:1")
    assert space.set("a", 1) is False
    assert space.get("a") is None
    assert asyncio.run(space.aget("a")) is None
    space.clear()
    assert space.set("a", 1) is True
    assert space.get("a") == 1


def test_a_namespace_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        namespace()


def test_a_load_that_began_before_a_clear_stores_where_nobody_looks() -> None:
    space = namespace("user:1")
    key = space.key("a")
    assert key

    def load() -> str:
        space.clear()
        return "old"

    assert remember(key, load) == "old"
    assert space.get("a") is None


def test_async() -> None:
    async def scenario() -> tuple[Any, ...]:
        space = namespace("user:9")
        await space.aset("a", 1)
        seen = await space.aget("a")
        deleted = await space.adelete("a")
        await space.aset("b", 2)
        await space.aclear()
        return seen, deleted, await space.aget("b", "gone")

    assert asyncio.run(scenario()) == (1, True, "gone")


def test_names_without_a_kind_are_counted_together() -> None:
    for number in range(300):
        namespace(f"user-{number}").set("a", number)
        assert namespace(f"user-{number}").get("a") == number
    assert caches["default"].stats()["namespaces"]["namespaces"]["sets"] == 300


def test_there_may_be_any_number_of_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "_known", {families.GENERATION, families.OTHERS})
    for number in range(300):
        space = namespace(f"kind{number}:1")
        space.set("a", number)
        assert space.get("a") == number
        space.clear()
        assert space.get("a") is None
    counted = caches["default"].stats()["namespaces"]
    assert len(counted) == families.MOST - 1  # without the generations
    assert sum(counts["sets"] for counts in counted.values()) == 300


def test_a_bar_in_a_kind_breaks_no_report() -> None:
    space = namespace("a|b:1")
    space.set("a", 1)
    assert space.get("a") == 1
    Reporter().flush()
    assert collect(caches["default"], 1)["namespaces"]["a_b"]["sets"] == 1
