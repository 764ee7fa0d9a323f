"""Caches on the real server, one after the other in every test that asks for `cache`."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from performance.cache.backends import RedisCache, TieredCache
from performance.cache.base import Base
from performance.cache.engine import close_engines
from tests.servers import ThrowAwayValkey, free_port

_numbers = itertools.count()
MakeCache = Callable[..., Any]


class OverAsync:
    """A cache whose methods are its async ones, each run to its end."""

    def __init__(self, cache: Base) -> None:
        self.wrapped = cache

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.wrapped, f"a{name}", None)
        if method is None:
            return getattr(self.wrapped, name)
        return lambda *args, **kwargs: asyncio.run(method(*args, **kwargs))

    def __contains__(self, key: str) -> bool:
        return key in self.wrapped


@pytest.fixture
def make_cache(cache_redis: redis.Redis) -> Iterator[MakeCache]:
    """make_cache(cls=TieredCache, location=..., **params): as Django makes one, with a prefix of its own."""

    def make(
        cls: type[Base] = TieredCache, location: str = settings.CACHE_URL, **params: Any
    ) -> Base:
        params.setdefault("KEY_PREFIX", f"test{next(_numbers)}")
        if location == settings.CACHE_URL:  # the tests of failures want the short default
            params.setdefault("OPTIONS", {"SOCKET_TIMEOUT": 5})
        cache = cls(location, params)
        if isinstance(cache, TieredCache):
            assert cache.engine.tracker.wait(5)
        return cache

    yield make
    close_engines()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ThrowAwayValkey]]:
    """Three primaries that share the slots."""
    with ExitStack() as stack:
        yield start_cluster(stack, tmp_path_factory.mktemp("cluster"))


def start_cluster(stack: ExitStack, directory: Path) -> list[ThrowAwayValkey]:
    buses = [str(free_port()) for _ in range(3)]  # by default port + 10,000, which may be no port
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port")
    nodes = [stack.enter_context(ThrowAwayValkey(directory, *options, bus)) for bus in buses]
    bounds = [0, 5461, 10923, 16384]
    for node, start, end in zip(nodes, bounds, bounds[1:], strict=False):
        with node.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", start, end - 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, buses[0])
    for node in nodes:
        _wait_until_whole(node)
    return nodes


def _wait_until_whole(node: ThrowAwayValkey) -> None:
    deadline = time.monotonic() + 10
    with node.client() as client:
        while time.monotonic() < deadline:
            info = client.execute_command("CLUSTER", "INFO")
            if "cluster_state:ok" in str(info) and "cluster_known_nodes:3" in str(info):
                return
            time.sleep(0.05)
    raise TimeoutError("the cluster did not form")


def cluster_url(nodes: list[ThrowAwayValkey]) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)


FLAVOURS = ["redis", "tiered", "redis-async", "tiered-async"]


@pytest.fixture(params=[*FLAVOURS, pytest.param("cluster", marks=pytest.mark.slow)])
def make_any(request: pytest.FixtureRequest, make_cache: MakeCache) -> MakeCache:
    """As `make_cache`, for each kind of cache in turn."""
    kind, _, mode = request.param.partition("-")
    place: dict[str, Any] = {}
    if kind == "cluster":
        place = {"location": cluster_url(request.getfixturevalue("cluster"))}

    def make(**params: Any) -> Any:
        cache = make_cache(RedisCache if kind == "redis" else TieredCache, **place, **params)
        return OverAsync(cache) if mode else cache

    return make


@pytest.fixture
def cache(make_any: MakeCache) -> Any:
    return make_any()
