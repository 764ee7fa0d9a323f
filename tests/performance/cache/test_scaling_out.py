"""Sentinel and Cluster by settings alone, and what happens when a server of theirs is lost."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from performance.cache.backends import RedisCache, TieredCache
from performance.cache.connections import plan
from performance.cache.keys import lease_of
from tests.performance.cache.conftest import MakeCache, cluster_url, start_cluster
from tests.servers import ThrowAwayValkey


class Sentinel(ThrowAwayValkey):
    """Watches `primary` as "mymaster"; on its own it may decide that it is down."""

    def __init__(self, directory: Path, primary: ThrowAwayValkey) -> None:
        conf = directory / "sentinel.conf"
        conf.write_text(
            f"sentinel monitor mymaster 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds mymaster 400\nsentinel failover-timeout mymaster 2000\n"
        )
        super().__init__(directory)
        self.options = ("--sentinel",)
        self.conf = conf

    def start(self) -> None:
        program = self.program
        launcher = self.directory.parent / "sentinel.sh"
        launcher.write_text(
            f"#!/bin/sh\nexec {program} {self.conf} --port {self.port} --sentinel\n"
        )
        launcher.chmod(0o700)
        self.program = launcher
        super().start()


@pytest.mark.slow
def test_a_failover_by_sentinel(tmp_path: Path, make_cache: MakeCache) -> None:
    with ExitStack() as stack:
        at_once = ("--repl-diskless-sync-delay", "0")
        primary = stack.enter_context(ThrowAwayValkey(tmp_path, *at_once))
        follow = ("--replicaof", f"127.0.0.1 {primary.port}")
        replica = stack.enter_context(ThrowAwayValkey(tmp_path, *at_once, *follow))
        sentinel = stack.enter_context(Sentinel(tmp_path, primary))
        _until(lambda: _knows_replica(sentinel), 10)
        location = f"redis+sentinel://127.0.0.1:{sentinel.port}/mymaster/0"
        for cls in (RedisCache, TieredCache):
            cache = make_cache(cls, location, KEY_PREFIX=cls.__name__)
            assert cache.set("before", 1)
            assert cache.get("before") == 1
        with replica.client() as client:
            _until(lambda: client.get("TieredCache:1:before") == b"1", 5)
        primary.kill()
        began = time.monotonic()
        _until(lambda: cache.set("after", 2), 15)
        assert time.monotonic() - began < 8
        assert cache.get("after") == 2
        assert cache.get("before") == 1
        with replica.client() as client:
            assert client.get("TieredCache:1:after") == b"2"
        assert cache.engine.tracker.wait(5)
        assert cache.ttl("after") > 0


def _knows_replica(sentinel: Sentinel) -> bool:
    with sentinel.client() as client:
        state = client.execute_command("SENTINEL", "MASTER", "mymaster")
    pairs = state if isinstance(state, dict) else dict(zip(state[::2], state[1::2], strict=True))
    return int(pairs.get(b"num-slaves", pairs.get("num-slaves", 0))) == 1


def _until(true: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_cluster_goes_on_without_one_of_its_nodes(tmp_path: Path, make_cache: MakeCache) -> None:
    with ExitStack() as stack:
        nodes = start_cluster(stack, tmp_path)
        for node in nodes:
            with node.client() as client:
                client.config_set("cluster-require-full-coverage", "no")
        cache = make_cache(RedisCache, cluster_url(nodes))
        keys = [f"k{number}" for number in range(60)]
        assert cache.set_many(dict.fromkeys(keys, 1)) == []
        nodes[2].kill()
        found = cache.get_many(keys)
        assert 20 < len(found) < 60
        failed = cache.set_many(dict.fromkeys(keys, 2))
        assert len(found) + len(failed) == 60
        began = time.monotonic()
        for key in keys:
            cache.get(key)
        assert time.monotonic() - began < 1
        assert cache.stats()["server"]["up"] is True


@pytest.mark.slow
def test_get_many_of_a_cluster_is_a_round_trip_a_node(
    cluster: list[ThrowAwayValkey], make_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = make_cache(RedisCache, cluster_url(cluster))
    cache.set_many({f"k{number}": number for number in range(100)})
    trips: list[int] = []
    for node in cache.engine.transport._nodes.values():
        run = node.run

        def counted(commands: Any, run: Any = run) -> Any:
            trips.append(len(commands))
            return run(commands)

        monkeypatch.setattr(node, "run", counted)
    assert len(cache.get_many([f"k{number}" for number in range(100)])) == 100
    assert len(trips) == 3
    assert sum(trips) == 100


def test_replicas_are_read_and_the_first_is_written(tmp_path: Path, make_cache: MakeCache) -> None:
    with ExitStack() as stack:
        primary = stack.enter_context(ThrowAwayValkey(tmp_path))
        replica = stack.enter_context(
            ThrowAwayValkey(tmp_path)
        )  # not one, so that we see who is asked
        cache = make_cache(RedisCache, f"{primary.url};{replica.url}")
        cache.set("key", "written to the first")
        assert cache.get("key") is None
        with replica.client() as client:
            client.set(cache.make_key("key"), 5)
        assert cache.get("key") == 5
        assert cache.get_many(["key"]) == {"key": 5}
        tiered = make_cache(TieredCache, f"{primary.url};{replica.url}", KEY_PREFIX="t")
        tiered.set("key", 1)
        assert tiered.get("key") == 1
        replica.kill()
        _until(lambda: cache.get("key") == "written to the first", 2)


@pytest.mark.parametrize(
    ("location", "servers"),
    [
        ("redis://a/1", ["redis://a/1"]),
        ("redis://a/1,redis://b/1", ["redis://a/1", "redis://b/1"]),
        ("redis://a/1;redis://b/1", ["redis://a/1", "redis://b/1"]),
        (["redis://a/1", "redis://b/1"], ["redis://a/1", "redis://b/1"]),
        ("rediss+cluster://u:p@a:1,b:2", ["rediss://u:p@a:1", "rediss://u:p@b:2"]),
        ("redis+sentinel://s:1,t/main/3", ["redis://main/3?is_master=1"]),
    ],
)
def test_locations(location: Any, servers: list[str]) -> None:
    assert plan(location, {}).servers == servers


def test_sentinels_of_a_location() -> None:
    assert plan("redis+sentinel://s:1,t/main/3", {}).options["SENTINELS"] == [
        ("s", 1),
        ("t", 26379),
    ]
    with pytest.raises(ImproperlyConfigured):
        plan("", {})


@pytest.mark.parametrize("name", ["p:1:key", "p:1:{tag}key", "p:1:{a}{b}", "p:1:{open"])
def test_a_lease_lies_in_the_slot_of_its_key(name: str) -> None:
    from redis.crc import key_slot

    assert key_slot(lease_of(name).encode()) == key_slot(name.encode())


@pytest.mark.slow
@pytest.mark.parametrize("away", [1, 2])
def test_a_clear_reaches_every_node_of_a_cluster_sooner_or_later(
    away: int, cluster: list[ThrowAwayValkey], make_cache: MakeCache
) -> None:
    cache = make_cache(RedisCache, cluster_url(cluster))
    keys = [str(number) for number in range(60)]
    cache.set_many(dict.fromkeys(keys, 1))
    nodes = cache.engine.transport.everywhere()[:away]
    for node in nodes:
        node.breaker.trip(TimeoutError())
    cache.clear()
    _until(lambda: not any(node.breaker.is_open for node in nodes), 5)
    assert cache.get_many(keys) == {}


@pytest.mark.slow
def test_a_child_waits_for_no_thread_of_its_parent(
    cluster: list[ThrowAwayValkey], make_cache: MakeCache
) -> None:
    cache = make_cache(RedisCache, cluster_url(cluster))
    cache.set("key", 1)
    transport = cache.engine.transport
    with transport._lock:
        child = os.fork()
        if not child:
            os._exit(0 if transport._lock.acquire(timeout=0.5) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
