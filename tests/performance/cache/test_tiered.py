"""The first tier never shows what the server no longer has."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.conf import settings

from performance.cache import freeze
from performance.cache.backends import RedisCache, TieredCache
from tests.performance.cache.conftest import MakeCache, cluster_url
from tests.performance.cache.races import stale_reads
from tests.servers import ThrowAwayValkey

OTHER = {
    "SOCKET_TIMEOUT": 5,
    "LOCAL_MAX_ENTRIES": 999,
}  # an engine of its own, as in another process


def until(true: Callable[[], Any], seconds: float = 5) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen"
        time.sleep(0.0005)
    return time.monotonic() - began


def held(cache: TieredCache, key: str) -> bool:
    return cache.make_key(key) in cache.engine.local.slots


def warm(cache: TieredCache, key: str) -> Any:
    """Read until a copy stays: the message of the write before may still be under way."""
    until(lambda: (cache.get(key), held(cache, key))[1])
    return cache.get(key)


def test_a_second_read_asks_nobody(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.set("key", freeze({"a": [1]}))
    first = warm(cache, "key")
    before = cache.stats()
    assert cache.get("key") is first
    assert asyncio.run(cache.aget("key")) is first
    assert cache.get_many(["key"]) == {"key": first}
    assert "key" in cache
    after = cache.stats()
    assert after["local_hits"] - before["local_hits"] == 4
    assert after["hits"] == before["hits"]


def test_a_value_that_can_be_changed_is_copied(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.set("key", {"a": [1]})
    warm(cache, "key")["a"].append(2)
    assert cache.get("key") == {"a": [1]}


def test_it_expires_when_the_server_says(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.set("key", "value", 0.2)
    warm(cache, "key")
    time.sleep(0.25)
    assert cache.get("key") is None


CHANGES: dict[str, Callable[[redis.Redis, str], Any]] = {
    "set": lambda client, name: client.set(name, 2),
    "delete": lambda client, name: client.delete(name),
    "incr": lambda client, name: client.incr(name),
    "expire": lambda client, name: client.pexpire(name, 1),
    "rename": lambda client, name: client.rename(name, f"{name}2"),
    "flushdb": lambda client, name: client.flushdb(),
    "script": lambda client, name: client.eval("return redis.call('SET', KEYS[1], 3)", 1, name),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_by_anybody_is_seen(
    change: str, make_cache: MakeCache, cache_redis: redis.Redis
) -> None:
    cache = make_cache()
    cache.set("key", 1)
    assert warm(cache, "key") == 1
    CHANGES[change](cache_redis, cache.make_key("key"))
    assert until(lambda: cache.get("key") != 1, 1) < 0.5


def test_own_writes_are_seen_at_once(make_cache: MakeCache) -> None:
    cache = make_cache()
    for number in range(300):
        cache.set("key", number)
        assert cache.get("key") == number
        assert cache.incr("key") == number + 1
        assert cache.get("key") == number + 1
        cache.delete("key")
        assert cache.get("key") is None


def test_of_two_keys_nobody_gets_the_new_one_and_the_old_other(
    make_cache: MakeCache, cache_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is kept under a number and made of parts: read of the server, the number may be the newer."""
    cache, writer = make_cache(KEY_PREFIX="two"), make_cache(RedisCache, KEY_PREFIX="two")
    cache.set("part", "old")
    warm(cache, "part")
    tracker: Any = cache.engine.tracker
    hear = tracker.drain

    def hear_by_readers_alone() -> None:
        if threading.current_thread() is not tracker._thread:
            hear()

    monkeypatch.setattr(tracker, "drain", hear_by_readers_alone)
    tracker.fresh_until += 3600
    writer.set("part", "new")
    writer.set("number", 2)
    assert cache.get("part") == "old", "nobody has looked at the socket"
    assert cache.get_many(["number"]) == {"number": 2}
    assert cache.get("part") == "new"


def test_who_cannot_catch_up_has_no_copy(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.set("key", "value")
    warm(cache, "key")
    tracker: Any = cache.engine.tracker
    tracker.fresh_until += 3600
    assert cache.held(cache.make_key("key"))
    with tracker._lock:  # as another thread has it, which is being told of changes
        cache.catch_up()
        assert not cache.held(cache.make_key("key"))
    assert cache.held(cache.make_key("key"))


@pytest.mark.parametrize("arrives", ["before the reply", "after the reply"])
def test_an_invalidation_that_overtakes_a_read_is_not_lost(
    arrives: str, make_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reads the old value; B writes the new; A hears of it; only then A stores what it read."""
    reader, writer = (
        make_cache(KEY_PREFIX="race"),
        make_cache(KEY_PREFIX="race", VERSION=1, OPTIONS=OTHER),
    )
    writer.set("key", "old")
    transport = reader.engine.transport
    answer = transport.run

    def slow(commands: Any, **kwargs: Any) -> Any:
        replies = answer(commands, **kwargs)
        heard = reader.engine.local.invalidations
        writer.set("key", "new")
        if arrives == "before the reply":
            until(lambda: reader.engine.local.invalidations > heard)
        return replies

    monkeypatch.setattr(transport, "run", slow)
    assert reader.get("key") == "old"
    monkeypatch.undo()
    until(lambda: reader.get("key") == "new", 1)
    assert reader.get("key") == "new"


def test_a_thousand_reads_overtaken_by_writes(make_cache: MakeCache) -> None:
    """python -m tests.verification.cache_races has more of them."""
    reader, writer = make_cache(KEY_PREFIX="race"), make_cache(RedisCache, KEY_PREFIX="race")
    assert stale_reads(reader, writer, 1000) == 0


def test_nobody_uses_copies_while_a_thread_has_no_time_to_tell_of_changes(
    make_cache: MakeCache,
) -> None:
    reader, writer = make_cache(KEY_PREFIX="r"), make_cache(RedisCache, KEY_PREFIX="r")
    reader.set("key", "old")
    warm(reader, "key")
    tracker = reader.engine.tracker
    with tracker._lock:
        tracker.fresh_until = 0.0
        writer.set("key", "new")
        assert reader.get("key") == "new"


def read_on(cache: TieredCache, stop: threading.Event) -> None:
    while not stop.is_set():
        for key in range(4):
            cache.get(f"k{key}")


def write_amid_readers(caches: tuple[TieredCache, TieredCache], round_: int) -> None:
    stop = threading.Event()
    threads = [threading.Thread(target=read_on, args=(cache, stop)) for cache in caches]
    for thread in threads:
        thread.start()
    for number in range(8):
        caches[number % 2].set(f"k{number % 4}", (round_, number))
    stop.set()
    for thread in threads:
        thread.join()


def test_forced_races_leave_nothing_stale(make_cache: MakeCache) -> None:
    """Readers and writers of two instances as fast as they can; at rest both see the last write."""
    both = make_cache(KEY_PREFIX="r"), make_cache(KEY_PREFIX="r", OPTIONS=OTHER)
    assert both[0].engine is not both[1].engine
    for round_ in range(20):
        write_amid_readers(both, round_)
        last = {f"k{key}": (round_, key + 4) for key in range(4)}
        time.sleep(0.02)
        assert [cache.get_many(last) for cache in both] == [last, last]


def test_without_its_link_it_is_bypassed(
    valkey_server: Callable[..., ThrowAwayValkey], make_cache: MakeCache
) -> None:
    server = valkey_server()
    cache = make_cache(location=server.url)
    cache.set("key", "old")
    warm(cache, "key")
    with server.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        client.set(cache.make_key("key"), 7)
    until(lambda: cache.get("key") == 7, 1)
    assert cache.engine.tracker.losses == 1
    assert cache.engine.tracker.wait(2)
    assert warm(cache, "key") == 7


def test_a_frozen_server_closes_it_within_a_second(
    valkey_server: Callable[..., ThrowAwayValkey], make_cache: MakeCache
) -> None:
    server = valkey_server()
    cache = make_cache(location=server.url)
    cache.set("key", "value")
    warm(cache, "key")
    server.freeze()
    assert until(lambda: cache.get("key") is None, 2) < 1.2
    server.thaw()
    until(lambda: cache.get("key") == "value")


def test_a_child_has_a_tier_of_its_own(make_cache: MakeCache) -> None:
    cache = make_cache(KEY_PREFIX="fork")
    cache.set("key", "parent")
    assert cache.get("key") == "parent"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            emptied = not cache.engine.local.slots
            seen = cache.get("key")
            followed = cache.engine.tracker.wait(5)
            cache.set("key", "child")
            os.write(write, repr((emptied, seen, followed, cache.get("key"))).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == repr((True, "parent", True, "child"))
    until(lambda: cache.get("key") == "child", 1)
    cache.set("key", "parent again")
    assert cache.get("key") == "parent again"


WRITER = """
import sys, time, redis
client = redis.Redis.from_url(sys.argv[1])
for line in sys.stdin:
    client.set(sys.argv[2], repr(time.monotonic_ns()))
    print("done", flush=True)
"""


def test_a_write_of_another_process_is_seen_within_milliseconds(make_cache: MakeCache) -> None:
    cache = make_cache()
    name = cache.make_key("key")
    command = [sys.executable, "-c", WRITER, settings.CACHE_URL, name]
    delays = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin
        assert writer.stdout
        cache.set("key", 0)
        for _ in range(60):
            before = cache.get("key")
            writer.stdin.write("\n")
            writer.stdin.flush()
            until(lambda before=before: cache.get("key") != before)
            delays.append((time.monotonic_ns() - cache.get("key")) / 1e6)
            writer.stdout.readline()
    assert sorted(delays)[30] < 5


@pytest.mark.slow
def test_a_cluster_names_its_changes_from_every_primary(
    cluster: list[ThrowAwayValkey], make_cache: MakeCache
) -> None:
    one = make_cache(location=cluster_url(cluster), KEY_PREFIX="c")
    two = make_cache(location=cluster_url(cluster), KEY_PREFIX="c", OPTIONS=OTHER)
    keys = [f"k{number}" for number in range(30)]
    two.set_many(dict.fromkeys(keys, 1))
    assert one.get_many(keys) == dict.fromkeys(keys, 1)
    for key in keys:
        warm(one, key)
    two.set_many(dict.fromkeys(keys, 2))
    until(lambda: one.get_many(keys) == dict.fromkeys(keys, 2), 1)


def test_threads_share_it(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.set("key", "value")
    warm(cache, "key")
    before = cache.stats()["hits"]
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get("key"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["value"] * 8
    assert cache.stats()["hits"] == before


def test_aliases_with_the_same_keys_share_their_copies(make_cache: MakeCache) -> None:
    first = make_cache(KEY_PREFIX="shared", TIMEOUT=60)
    second = make_cache(KEY_PREFIX="shared", VERSION=2)
    second.set("number", 42)
    for _ in range(50):
        assert first.get("number", version=2) == 42
        second.incr("number")
        assert first.get("number", version=2) == 43
        second.decr("number")


def test_another_way_of_naming_is_followed_from_then_on(make_cache: MakeCache) -> None:
    cache = make_cache()
    cache.set("k", "v")
    assert cache.get("k") == cache.get("k") == "v"
    cache.key_func = lambda key, prefix, version: f"other-{prefix}-{version}-{key}"
    assert cache.engine.tracker.wait(5)
    assert cache.get("k") is None
    cache.set("k", "w")
    assert cache.get("k") == cache.get("k") == "w"
    cache.client.get_client().delete(cache.make_key("k"))  # as another process would
    until(lambda: cache.get("k") is None)
    cache.clear()
