from __future__ import annotations

import random
import time

from performance.cache.counts import Counts
from performance.cache.envelope import Entry
from performance.cache.local import OVERHEAD, LocalStore, Slot


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
    store = opened(max_bytes=80_000)
    assert put(store, "large", 10_001 - OVERHEAD) is False
    assert put(store, "fits", 10_000 - OVERHEAD) is True


def test_time_left() -> None:
    store = opened()
    put(store, "k", ttl=5)
    assert 4 < store.slots["k"].expires - time.monotonic() <= 5
    put(store, "k", ttl=None)
    assert store.slots["k"].expires == float("inf")
