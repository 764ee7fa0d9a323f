"""Random sequences of operations against a plain dict: two instances, both tiers, threads or loops."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from performance.cache.backends import RedisCache, TieredCache
from performance.cache.engine import close_engines
from tests.performance.cache.conftest import OverAsync

NAMES = ["a", "b", "c", "{x}d"]
KEYS = st.sampled_from(NAMES)
VERSIONS = st.sampled_from([None, 2])
VALUES = st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20), st.binary(max_size=20),
    st.lists(st.integers(), max_size=4), st.tuples(st.integers(), st.text(max_size=5)),
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=3), st.datetimes(), st.decimals(allow_nan=False),
)  # fmt: skip
TIMEOUTS = st.sampled_from([300, None, 0, -1])
_numbers = itertools.count()


class CacheModel(RuleBasedStateMachine):
    """Every rule does the same to the dict and, through either instance, to the cache."""

    caches: tuple[Any, ...] = ()

    @initialize()
    def begin(self) -> None:
        prefix = f"model{next(_numbers)}"
        params = {"KEY_PREFIX": prefix, "OPTIONS": {"SOCKET_TIMEOUT": 5}}
        tiered = TieredCache(settings.CACHE_URL, params)
        other = TieredCache(settings.CACHE_URL, {**params, "TIMEOUT": 299})
        plain = RedisCache(settings.CACHE_URL, params)
        for cache in (tiered, other):
            assert cache.engine.tracker
            assert cache.engine.tracker.wait(5)
        self.caches = (tiered, OverAsync(tiered), other, plain, OverAsync(plain))
        self.model: dict[tuple[str, int], Any] = {}

    def any_of(self, data: st.DataObject) -> Any:
        cache = data.draw(st.sampled_from(self.caches))
        self._settle()
        return cache

    def _settle(self) -> None:
        """What one instance wrote, the other has been told of, once its link is read."""
        self.caches[3].engine.transport.run([("PING",)])
        for cache in (self.caches[0], self.caches[2]):
            cache.engine.tracker.drain()

    @rule(data=st.data(), key=KEYS, version=VERSIONS, value=VALUES, timeout=TIMEOUTS)
    def set(
        self, data: st.DataObject, key: str, version: int | None, value: Any, timeout: Any
    ) -> None:
        self.any_of(data).set(key, value, timeout, version)
        if timeout is None or timeout > 0:
            self.model[key, version or 1] = value
        else:
            self.model.pop((key, version or 1), None)

    @rule(data=st.data(), key=KEYS, version=VERSIONS, value=VALUES)
    def add(self, data: st.DataObject, key: str, version: int | None, value: Any) -> None:
        added = self.any_of(data).add(key, value, version=version)
        assert added is ((key, version or 1) not in self.model)
        self.model.setdefault((key, version or 1), value)

    @rule(data=st.data(), key=KEYS, version=VERSIONS)
    def delete(self, data: st.DataObject, key: str, version: int | None) -> None:
        deleted = self.any_of(data).delete(key, version)
        assert deleted is ((key, version or 1) in self.model)
        self.model.pop((key, version or 1), None)

    @rule(data=st.data(), values=st.dictionaries(KEYS, VALUES), version=VERSIONS)
    def set_many(self, data: st.DataObject, values: dict[str, Any], version: int | None) -> None:
        assert self.any_of(data).set_many(values, version=version) == []
        self.model.update({(key, version or 1): value for key, value in values.items()})

    @rule(data=st.data(), keys=st.lists(KEYS), version=VERSIONS)
    def get_many(self, data: st.DataObject, keys: list[str], version: int | None) -> None:
        expected = {k: self.model[k, version or 1] for k in keys if (k, version or 1) in self.model}
        assert self.any_of(data).get_many(keys, version) == expected

    @rule(data=st.data(), key=KEYS, delta=st.integers(-(10**6), 10**6))
    def incr(self, data: st.DataObject, key: str, delta: int) -> None:
        cache, old = self.any_of(data), self.model.get((key, 1))
        if type(old) is int:
            assert cache.incr(key, delta) == old + delta
            self.model[key, 1] = old + delta
        elif (key, 1) not in self.model:
            with pytest.raises(ValueError, match="not found"):
                cache.incr(key, delta)

    @rule(data=st.data(), key=KEYS)
    def incr_version(self, data: st.DataObject, key: str) -> None:
        cache = self.any_of(data)
        if (key, 1) in self.model:
            assert cache.incr_version(key) == 2
            self.model[key, 2] = self.model.pop((key, 1))
        else:
            with pytest.raises(ValueError, match="not found"):
                cache.incr_version(key)

    @rule(data=st.data(), key=KEYS, timeout=TIMEOUTS)
    def touch(self, data: st.DataObject, key: str, timeout: Any) -> None:
        assert self.any_of(data).touch(key, timeout) is ((key, 1) in self.model)
        if timeout is not None and timeout <= 0:
            self.model.pop((key, 1), None)

    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        self.any_of(data).clear()
        self.model.clear()

    @invariant()
    def all_instances_agree_with_the_model(self) -> None:
        if not self.caches:
            return
        self._settle()
        for cache, version in itertools.product(self.caches, (1, 2)):
            expected = {key: value for (key, of), value in self.model.items() if of == version}
            found = cache.get_many(NAMES, version)
            assert found == expected
            assert [type(found[key]) for key in expected] == [type(v) for v in expected.values()]

    def teardown(self) -> None:
        close_engines()


@pytest.fixture(autouse=True)
def _one_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One event loop for a run: hundreds of thousands of them would be what takes the time."""
    with asyncio.Runner() as runner:
        monkeypatch.setattr(asyncio, "run", runner.run)
        yield


def test_the_cache_is_a_dict(cache_redis: redis.Redis) -> None:
    run_state_machine_as_test(
        CacheModel,
        settings=examples(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
