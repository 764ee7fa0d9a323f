from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync
from django.conf import settings as site
from django.contrib.auth import get_user_model
from django.core.cache import caches

from performance.cache import aremember, reading, remember
from performance.cache.backends import TieredCache
from performance.cache.engine import close_engines
from performance.cache.keys import lease_of
from tests import leavings

BACKENDS = ["performance.cache.backends.RedisCache", "performance.cache.backends.TieredCache"]
WORKERS, THREADS = 4, 25


@pytest.fixture(params=BACKENDS, ids=["redis", "tiered"])
def cache(request: pytest.FixtureRequest, settings: Any, cache_redis: redis.Redis) -> Any:
    place = {"BACKEND": request.param, "LOCATION": site.CACHE_URL}
    settings.CACHES = {alias: {**place, "KEY_PREFIX": alias} for alias in ("default", "other")}
    yield caches["default"]
    close_engines()


class Loader:
    """Counts its calls; each takes `seconds`, waits for the gate and returns its number, or raises."""

    def __init__(self, seconds: float = 0, error: Exception | None = None) -> None:
        self.calls = 0
        self.seconds = seconds
        self.error = error
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        time.sleep(self.seconds)
        self.gate.wait(10)
        if self.error:
            raise self.error
        return number

    async def later(self) -> int:
        self.calls += 1
        number = self.calls
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        return number


def together(work: Callable[[], Any], number: int = 20) -> list[Any]:
    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(work) for _ in range(number)]]


def until(true: Callable[[], Any], seconds: float = 5) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen"
        time.sleep(0.005)


def test_the_second_call_is_answered_from_the_cache(cache: Any) -> None:
    load = Loader()
    assert [remember("key", load) for _ in range(3)] == [1, 1, 1]
    assert cache.get("key") == 1
    assert remember("key", load, cache="other") == 2


def test_none_and_false_are_values(cache: Any) -> None:
    calls: list[int] = []
    for key, value in (("none", None), ("false", False)):
        for _ in range(2):
            assert remember(key, lambda value=value: calls.append(1) or value) is value
    assert len(calls) == 2


def test_threads_that_miss_at_once_share_a_load(cache: Any) -> None:
    load = Loader(0.2)
    assert together(lambda: remember("key", load)) == [1] * 20
    assert load.calls == 1
    assert cache.stats()["loads"] == 1


def test_coroutines_that_miss_at_once_share_a_load(cache: Any) -> None:
    load = Loader(0.1)

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(aremember("key", load.later) for _ in range(50)))

    assert asyncio.run(all_of_them()) == [1] * 50


def test_threads_and_coroutines_share_a_load(cache: Any) -> None:
    load = Loader(0.3)
    with ThreadPoolExecutor(1) as pool:
        thread = pool.submit(remember, "key", load)
        time.sleep(0.1)
        assert asyncio.run(aremember("key", load.later)) == 1
        assert thread.result() == 1


def in_child(work: Callable[[], str]) -> Callable[[], str]:
    """Fork, work there; the answer of the child, when asked for."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, work().encode())
        finally:
            os._exit(0)
    os.close(write)

    def answer() -> str:
        os.waitpid(child, 0)
        with os.fdopen(read) as pipe:
            return pipe.read()

    return answer


def test_a_herd_of_a_hundred_in_four_processes_is_one_load(cache: Any) -> None:
    load = Loader(1)
    cache.get("warm")

    def herd() -> str:
        assert set(together(lambda: remember("herd", load), THREADS)) == {1}
        return str(load.calls)

    answers = [in_child(herd) for _ in range(WORKERS)]
    assert sum(int(answer()) for answer in answers) == 1


def test_a_child_does_not_wait_for_a_load_of_its_parent(cache: Any) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow() -> int:
        began.set()
        go_on.wait(10)
        return 1

    def ask() -> str:
        os.read(read, 1)
        cache.delete("key")
        started = time.monotonic()
        remember("key", lambda: 2, wait=3)
        return str(cache.get("key") if time.monotonic() - started < 2 else "it waited")

    read, write = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(remember, "key", slow)
        assert began.wait(5)
        answer = in_child(ask)
        go_on.set()
        assert loading.result() == 1
    os.write(write, b"x")
    assert answer() == "2"
    for end in (read, write):
        os.close(end)


def test_a_loader_that_dies_is_replaced(cache: Any) -> None:
    name = cache.make_key("key")
    began = time.monotonic()
    cache.client.get_client().set(f"{{{name}}}:lease", "of a dead process", px=300)
    assert remember("key", Loader()) == 1
    assert time.monotonic() - began > 0.25
    assert cache.get("key") == 1  # what is loaded after too long a wait is not kept


def test_one_who_has_waited_long_enough_loads_and_stores_nothing(cache: Any) -> None:
    name = cache.make_key("key")
    cache.client.get_client().set(f"{{{name}}}:lease", "of a slow process", px=5000)
    assert remember("key", Loader(), wait=0.1) == 1
    assert cache.get("key") is None


@pytest.mark.parametrize(
    "change",
    ["set", "delete", "clear", "delete_many", "set_many", "add", "incr_version", "delete_pattern"],
)
def test_a_slow_load_does_not_bring_back_what_was_replaced(cache: Any, change: str) -> None:
    changes: dict[str, Callable[[], Any]] = {
        "set": lambda: cache.set("key", "new"),
        "set_many": lambda: cache.set_many({"key": "new"}),
        "delete": lambda: cache.delete("key"),
        "delete_many": lambda: cache.delete_many(["key"]),
        "clear": cache.clear,
        "add": lambda: cache.add("key", "new"),
        "incr_version": lambda: cache.incr_version("key", version=0),
        "delete_pattern": lambda: cache.delete_pattern("k*"),
    }
    cache.set("key", "new", version=0)

    def load() -> str:
        changes[change]()
        return "old"

    assert remember("key", load) == "old"
    is_new = change in ("set", "set_many", "add", "incr_version")
    assert cache.get("key") == ("new" if is_new else None)


@pytest.mark.parametrize("change", ["set", "delete", "clear", "delete_pattern"])
def test_nobody_joins_a_load_from_before_a_change(cache: Any, change: str) -> None:
    changes: dict[str, Callable[[], Any]] = {
        "set": lambda: cache.set("key", "new"),
        "delete": lambda: cache.delete("key"),
        "clear": cache.clear,
        "delete_pattern": lambda: cache.delete_pattern("k*"),
    }
    loading, go_on = threading.Event(), threading.Event()

    def load() -> str:
        loading.set()
        go_on.wait(5)
        return "old"

    with ThreadPoolExecutor() as pool:
        first = pool.submit(remember, "key", load)
        loading.wait(5)
        changes[change]()
        second = pool.submit(remember, "key", lambda: "new")
        try:
            assert second.result(2) == "new"
        finally:
            go_on.set()
        assert first.result() == "old"


def test_nobody_joins_a_load_from_before_a_change_by_another_process(
    cache: Any, cache_redis: redis.Redis
) -> None:
    """The message that empties the first tier says so; without one, a waiter may get the old value."""
    if not isinstance(cache, TieredCache):
        pytest.skip("the second tier by itself is told of nothing")
    assert cache.engine.tracker.wait(5)
    name = cache.name_of("key")
    loading, go_on = threading.Event(), threading.Event()

    def load() -> str:
        loading.set()
        go_on.wait(20)  # longer than anything waits for below: no flight ends by itself
        return "old"

    with ThreadPoolExecutor() as pool:
        first = pool.submit(remember, "key", load)
        try:
            loading.wait(5)
            cache_redis.unlink(lease_of(name))
            cache_redis.set(name, b"1")
            cache_redis.unlink(name)
            until(lambda: not cache.engine.flights)
            second = pool.submit(remember, "key", lambda: "new")
            assert second.result(2) == "new"
        finally:
            go_on.set()
        assert first.result() == "old"


def test_an_error_reaches_all_who_wait_and_is_not_kept(cache: Any) -> None:
    load = Loader(0.2, RuntimeError("no"))

    def call() -> str:
        with pytest.raises(RuntimeError, match="no"):
            remember("key", load)
        return "raised"

    assert together(call, 10) == ["raised"] * 10
    assert load.calls == 1
    load.error = None
    assert remember("key", load) == 2


def test_an_error_of_a_coroutine(cache: Any) -> None:
    load = Loader(0.05, RuntimeError("no"))

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(
            *(aremember("key", load.later) for _ in range(5)), return_exceptions=True
        )

    assert [str(error) for error in asyncio.run(all_of_them())] == ["no"] * 5
    assert load.calls == 1


def test_a_cancelled_leader_leaves_the_load_to_another(cache: Any) -> None:
    load = Loader(60)

    async def scenario() -> int:
        leader = asyncio.create_task(aremember("key", load.later))
        while load.calls == 0:
            await asyncio.sleep(0.005)
        follower = asyncio.create_task(aremember("key", load.later))
        while cache.engine.counts_of(cache.name_of("key")).waits == 0:
            await asyncio.sleep(0.005)
        load.seconds = 0
        leader.cancel()
        return await follower

    assert asyncio.run(scenario()) == 2


def test_stale_while_one_refreshes(cache: Any) -> None:
    load = Loader()
    assert remember("key", load, 0.1, beta=0) == 1
    time.sleep(0.15)
    load.gate.clear()
    assert together(lambda: remember("key", load, 10, stale=5), 10) == [1] * 10
    load.gate.set()
    until(lambda: remember("key", load, 10, stale=5) == 2)
    assert load.calls == 2
    assert cache.stats()["stale_served"] >= 10


def test_stale_while_one_refreshes_async(cache: Any) -> None:
    load = Loader()

    async def scenario() -> tuple[Any, ...]:
        first = await aremember("key", load.later, 0.1, beta=0)
        await asyncio.sleep(0.15)
        second = await aremember("key", load.later, 10)
        async with asyncio.timeout(10):
            while (third := await aremember("key", load.later, 10)) == second:
                await asyncio.sleep(0.005)
        return first, second, third

    assert asyncio.run(scenario()) == (1, 1, 2)


@pytest.mark.parametrize("under_wsgi", [True, False])
@pytest.mark.parametrize("seconds", [0, 0.1])
def test_a_refresh_outlives_the_loop_of_one_call(
    cache: Any, seconds: float, *, under_wsgi: bool
) -> None:
    load = Loader()

    async def read(ttl: float) -> int:
        number: int = await aremember("key", load.later, ttl, beta=0, stale=5)
        return number

    def call(ttl: float) -> int:
        return async_to_sync(read)(ttl) if under_wsgi else asyncio.run(read(ttl))

    assert call(0.05) == 1
    time.sleep(0.1)
    load.seconds = seconds
    assert call(10) == 1
    until(lambda: cache.get("key") in (2, 3))  # 3: its first try was broken off
    assert call(10) == cache.get("key")
    until(lambda: cache.engine.flights == {})


def test_a_refresh_may_use_the_orm_where_the_loop_ends(cache: Any, transactional_db: None) -> None:
    async def load() -> int:
        return await get_user_model().objects.acount() + await get_user_model().objects.acount()

    for _ in range(2):
        assert async_to_sync(aremember)("key", load, 0.05, beta=0) == 0
        time.sleep(0.1)
    until(lambda: cache.stats()["loads"] + cache.stats()["load_errors"] == 2)
    assert cache.stats()["load_errors"] == 0
    until(lambda: not leavings.lent.to_others())  # its connection is back in the pool


def test_beyond_the_stale_window_it_is_loaded(cache: Any) -> None:
    load = Loader()
    remember("key", load, 0.05, stale=0, stale_if_error=60, beta=0)
    time.sleep(0.1)
    assert cache.get("key") is None
    assert remember("key", load, 10, stale=0) == 2


def test_stale_if_error(cache: Any) -> None:
    load = Loader()
    remember("key", load, 0.05, stale=0, stale_if_error=60, beta=0)
    time.sleep(0.1)
    load.error = RuntimeError("no")
    assert remember("key", load, 10, stale=0, stale_if_error=60) == 1
    with pytest.raises(RuntimeError):
        remember("key", load, 10, stale=0, stale_if_error=0)


def test_a_cleared_value_is_not_saved_by_any_window(cache: Any) -> None:
    load = Loader()
    remember("key", load, 0.05, beta=0)
    cache.delete("key")
    load.error = RuntimeError("no")
    with pytest.raises(RuntimeError):
        remember("key", load, 10)


def test_nothing_found_is_kept_for_less(cache: Any, time_machine: Any) -> None:
    time_machine.move_to(time.time(), tick=False)
    calls: list[int] = []
    for pause, loads in ((0, 1), (9, 1), (2, 2)):
        time_machine.shift(pause)
        assert remember("key", lambda: calls.append(1), 100, negative_ttl=10, stale=0) is None
        assert len(calls) == loads
    remember("never", lambda: calls.append(1), negative_ttl=0)
    remember("never", lambda: calls.append(1), negative_ttl=0)
    assert len(calls) == 4


@pytest.fixture
def dice(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """dice(number): what decides on an early refresh, from 0 (none) to all but 1."""
    return lambda number: monkeypatch.setattr(reading.random, "random", lambda: number)


def test_a_popular_value_is_refreshed_before_its_end(
    cache: Any, dice: Callable[[float], None], time_machine: Any
) -> None:
    """The likelier, the nearer its end is and the dearer it was: here a tenth of a second before."""
    time_machine.move_to(time.time(), tick=False)
    load = Loader(0.05)
    remember("key", load, 1)
    time_machine.shift(0.9)
    dice(0)
    assert remember("key", load, 1) == 1
    assert load.calls == 1
    dice(0.9)
    assert remember("key", load, 1) == 1
    until(lambda: cache.get("key") == 2)


def test_beta_of_nought_waits_for_the_end(
    cache: Any, dice: Callable[[float], None], time_machine: Any
) -> None:
    time_machine.move_to(time.time(), tick=False)
    load = Loader(0.05)
    remember("key", load, 1, beta=0)
    time_machine.shift(0.999)
    dice(1 - 1e-9)
    assert remember("key", load, 1, beta=0) == 1
    assert (load.calls, cache.stats()["stale_served"]) == (1, 0)
    time_machine.shift(0.002)
    assert remember("key", load, 1, beta=0) == 1
    until(lambda: cache.get("key") == 2)


def test_a_load_that_asks_for_its_own_value(cache: Any) -> None:
    assert remember("key", lambda: remember("key", lambda: "inner") + "!") == "inner!"


def test_a_load_that_asks_for_another_value(cache: Any) -> None:
    assert remember("a", lambda: remember("b", lambda: "b") + "a") == "ba"
    assert cache.get_many(["a", "b"]) == {"a": "ba", "b": "b"}


def test_switched_off(cache: Any, settings: Any) -> None:
    settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
    load = Loader()
    assert [remember("key", load) for _ in range(2)] == [1, 2]
    assert asyncio.run(aremember("key", load.later)) == 3


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_any_other_backend_will_do(settings: Any, backend: str) -> None:
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    load = Loader()
    remember("key", load)
    assert remember("key", load) == (1 if "LocMem" in backend else 2)
    asyncio.run(aremember("key2", load.later))
    caches["default"].clear()


def test_no_flight_is_left(cache: Any) -> None:
    together(lambda: remember("key", Loader(0.05)))
    assert cache.engine.flights == {}
