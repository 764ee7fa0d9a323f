"""Spans of the cache's round trips: how many, what they say, and above all what not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from performance import tracing
from performance.cache.backends import RedisCache, TieredCache
from performance.cache.traced import Traced
from tests.performance.cache.conftest import MakeCache
from tests.servers import ThrowAwayValkey

CANARY = "canary-3141"


class Kept:
    """A tracer that keeps what it is told: one dictionary for each span."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    @contextmanager
    def span(
        self, name: str, kind: str, attributes: tracing.Attributes, parent: str
    ) -> Iterator[Any]:
        span = Noted({"name": name, "kind": kind, **attributes})
        yield span
        self.spans.append(span.told)


class Noted:
    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told

    def set(self, attributes: tracing.Attributes) -> None:
        self.told |= attributes

    def rename(self, name: str) -> None:
        self.told["name"] = name

    def fail(self, error_type: str) -> None:
        self.told["error.type"] = error_type


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    tracing.use(kept)
    yield kept
    tracing.use(None)


@pytest.mark.parametrize("kind", [RedisCache, TieredCache])
def test_each_round_trip_is_a_span_without_key_or_value(
    kept: Kept, make_cache: MakeCache, kind: Any
) -> None:
    cache = make_cache(kind, KEY_PREFIX="site")
    cache.delete(CANARY)
    del kept.spans[:]
    assert cache.get(CANARY) is None
    cache.set(CANARY, CANARY)
    assert asyncio.run(cache.aget(CANARY)) == CANARY
    first, *_, last = kept.spans
    assert first["name"] in {
        "GET cache site",
        "PIPELINE cache site",
    }  # the first tier wants PTTL too
    assert (first["kind"], first["cache.hits"]) == ("client", 0)
    assert last["cache.hits"] == 1
    assert CANARY not in repr(kept.spans)


def test_a_hit_in_the_first_tier_is_no_span(kept: Kept, make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.set("key", "value")
    cache.get("key")
    del kept.spans[:]
    assert cache.get("key") == "value"
    assert kept.spans == []


def test_several_commands_of_one_round_trip_are_one_span(kept: Kept, make_cache: MakeCache) -> None:
    cache = make_cache(RedisCache)
    cache.set_many({"a": 1, "b": 2})
    del kept.spans[:]
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    (span,) = kept.spans
    assert (span["db.operation.batch.size"], span["cache.hits"]) == (3, 2)


def test_a_server_that_is_away_is_a_failed_span(
    kept: Kept, make_cache: MakeCache, valkey_server: Callable[..., ThrowAwayValkey]
) -> None:
    server = valkey_server()
    cache = make_cache(RedisCache, location=server.url)
    cache.set("key", "value")
    server.kill()
    del kept.spans[:]
    assert cache.get("key") is None
    assert kept.spans[0]["error.type"].endswith("Error")


def test_a_process_that_does_not_trace_has_nothing_in_the_way(make_cache: MakeCache) -> None:
    assert not isinstance(make_cache(RedisCache).engine.transport, Traced)
