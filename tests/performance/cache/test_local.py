from __future__ import annotations

import dataclasses
import datetime
import decimal
import fractions
import gc
import ipaddress
import random
import time
import tracemalloc
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from performance.cache import local
from performance.cache.counts import Counts
from performance.cache.envelope import Entry
from performance.cache.frozen import FrozenDict
from performance.cache.local import LocalStore, Slot


def slot(key: str, size: int = 0) -> Slot:
    return Slot(key, Entry([], None, b"x" * size), frozen=False, counts=Counts())


def put(store: LocalStore, key: str, size: int = 0, ttl: float | None = None) -> bool:
    return store.end(key, store.begin(key), slot(key, size), ttl)


def opened(max_bytes: int = 10**6, max_entries: int = 1000) -> LocalStore:
    store = LocalStore(max_bytes, max_entries)
    store.open()
    return store


def test_a_closed_store_keeps_nothing() -> None:
    store = LocalStore(10**6, 10)
    assert store.begin("k") is None
    assert put(store, "k") is False
    store.open()
    assert put(store, "k") is True
    store.close()
    assert store.slots == {}
    assert store.begin("k") is None


def test_an_invalidation_drops_the_entry_and_voids_reads_in_flight() -> None:
    store = opened()
    put(store, "k")
    token, other = store.begin("k"), store.begin("other")
    store.invalidate("k")
    assert "k" not in store.slots
    later = store.begin("k")
    assert store.end("k", token, slot("k"), None) is False
    assert store.end("other", other, slot("other"), None) is True
    assert store.end("k", later, slot("k"), None) is True


def test_readers_of_one_key_share_its_fate() -> None:
    store = opened()
    first, second = store.begin("k"), store.begin("k")
    assert first is second
    assert store.end("k", first, None, None) is False
    store.invalidate("k")
    assert store.end("k", second, slot("k"), None) is False
    assert store._reading == {}


def test_reads_begun_before_a_flush_or_a_lost_link_are_void() -> None:
    for event in (LocalStore.clear, LocalStore.close):
        store = opened()
        token = store.begin("k")
        event(store)
        if not store.is_open:
            store.open()
        assert store.end("k", token, slot("k"), None) is False


def test_bounds_hold_whatever_comes() -> None:
    store, rng = opened(max_bytes=50_000, max_entries=60), random.Random(1)
    for _ in range(5_000):
        key = f"k{int(rng.paretovariate(0.6)) % 500}"
        if rng.random() < 0.1:
            store.invalidate(key)
        elif held := store.slots.get(key):
            held.reads = min(3, held.reads + 1)
        else:
            put(store, key, rng.randrange(4000))
        assert len(store.slots) <= 60
        assert store.size == sum(held.size for held in store.slots.values()) <= 50_000
        assert store._small_size == sum(s.size for s in store.slots.values() if not s.main)
        assert len(store._small) + len(store._main) <= 2 * len(store.slots) + 65
    store.clear()
    assert (store.size, store._small_size) == (0, 0)


def test_what_is_read_often_outlives_a_scan() -> None:
    store = opened(max_entries=100)
    for number in range(20):
        put(store, f"hot{number}")
        store.slots[f"hot{number}"].reads = 3
    for number in range(1000):
        put(store, f"scan{number}")
    assert all(f"hot{number}" in store.slots for number in range(20))
    assert store.evictions >= 900


def test_an_entry_that_would_crowd_out_the_rest_is_not_kept() -> None:
    store, empty = opened(max_bytes=80_000), slot("key").size
    assert put(store, "key", 10_001 - empty) is False
    assert put(store, "key", 10_000 - empty) is True


def test_time_left() -> None:
    store = opened()
    put(store, "k", ttl=5)
    assert 4 < store.slots["k"].expires - time.monotonic() <= 5
    put(store, "k", ttl=None)
    assert store.slots["k"].expires == float("inf")


class Point(NamedTuple):
    x: int
    y: str


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    at: datetime.datetime


# Whose allocations count: threads of other tests may be about.
MAKERS = (__file__, local.__file__, uuid.__file__, fractions.__file__, ipaddress.__file__)
OURS = [tracemalloc.Filter(inclusive=True, filename_pattern=file) for file in MAKERS]
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
SHAPES: dict[str, Callable[[int], Any]] = {
    "nothing": lambda n: None,
    "a short text": lambda n: f"text {n}",
    "a long text": lambda n: f"{n}" * 400,
    "numbers": lambda n: tuple(range(1000 + n, 1100 + n)),
    "floats": lambda n: tuple(n + i / 7 for i in range(100)),
    "bytes": lambda n: tuple(bytes([i, n % 256, 7]) for i in range(100)),
    "empty tuples and texts": lambda n: ((), f"{n}") * 50,
    "pairs": lambda n: tuple((i + n, f"{i}{n}") for i in range(1000, 1050)),
    "small dicts": lambda n: tuple(FrozenDict({"id": i * n + 1000}) for i in range(50)),
    "a set": lambda n: frozenset(range(1000 + n, 1050 + n)),
    "decimals": lambda n: tuple(decimal.Decimal(n) / (i + 1) for i in range(50)),
    "times": lambda n: tuple(datetime.datetime(2030, 1, 1, n % 24, i, i, tzinfo=datetime.UTC) for i in range(50)),
    "UUIDs": lambda n: tuple(uuid.UUID(int=2**100 + i * n) for i in range(50)),
    "fractions": lambda n: tuple(fractions.Fraction(1000 + i, 1001 + i + n) for i in range(50)),
    "addresses": lambda n: tuple(ipaddress.ip_address(2**31 + i + n) for i in range(50)),
    "networks": lambda n: tuple(ipaddress.ip_network((2**31 + i + n, 32)) for i in range(20)),
    "named tuples": lambda n: tuple(Point(i + n, f"y{i + n}") for i in range(1000, 1050)),
    "dataclasses": lambda n: tuple(Row(f"n{i + n}", NOW + i * datetime.timedelta(1)) for i in range(50)),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "frozen"), [*((s, True) for s in SHAPES), ("nothing", False)])
def test_the_bound_is_one_of_memory(shape: str, *, frozen: bool) -> None:
    store, counts = opened(max_bytes=150_000, max_entries=10**6), Counts()
    tracemalloc.start()
    try:
        for number in range(4000):
            entry = Entry(SHAPES[shape](number), None, b"x" * 90)
            key = f"some:prefix:1:a key {number}"
            store.end(key, store.begin(key), Slot(key, entry, frozen=frozen, counts=counts), 60)
            if store.evictions > 100:
                break
        del entry
        gc.collect()
        held = sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(OURS).traces)
    finally:
        tracemalloc.stop()
    assert store.evictions > 100
    assert held < 1.1 * store.max_bytes
    assert held > 0.3 * store.max_bytes
