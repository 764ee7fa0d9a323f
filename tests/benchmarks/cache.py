"""The cache beside its peers: every peer is called in turn, call by call, on the same server.

python -m tests.benchmarks cache [--rounds 5] [--calls 400]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PEERS = ("locmem", "core", "django-redis", "django-redis+msgpack+zstd", "redis-py-csc")
if find_spec("msgpack") is None:
    PEERS = tuple(peer for peer in PEERS if "msgpack" not in peer)
OURS = ("ours-redis", "ours-tiered")
HERD = (4, 25)  # processes, threads of each
Figures = dict[str, Any]
_rng = random.Random(1)


def main(arguments: list[str]) -> None:
    options = _options(arguments)
    with _site():
        from performance.cache import freeze
        from tests.benchmarks import payloads

        values = {"small": payloads.small(), "conversation": freeze(payloads.conversation())}
        figures: Figures = {"hit_us": {}, "async_hit_us": {}, "miss_us": {}, "set_us": {}}
        for name, value in values.items():
            _fill(name, value)
            print(f"reading {name}", flush=True)
            readers = _readers(name) | ({"orm": _orm()} if name == "conversation" else {})
            figures["hit_us"][name] = _interleaved(readers, options)
            figures["set_us"][name] = _interleaved(_writers(name, value), options, share=4)
            figures["async_hit_us"][name] = asyncio.run(_interleaved_async(name, options))
        figures["miss_us"] = _interleaved(_readers("nothing"), options)
        figures["stored_bytes"] = _stored(values)
        for measure in (_invalidation, _herd, _clearing):
            print(measure.__name__.strip("_"), flush=True)
            figures[measure.__name__.strip("_")] = measure()
    print(json.dumps({"name": "cache", "figures": figures, "ratios": _ratios(figures)}))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cache")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=400)
    return parser.parse_args(arguments)


@contextmanager
def _site() -> Iterator[None]:
    """Django with one alias a peer, on a Valkey of its own (on TCP: redis-py's cache needs that)."""
    from tests.benchmarks.servers import test_database
    from tests.servers import ThrowAwayValkey

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    with tempfile.TemporaryDirectory() as directory, ThrowAwayValkey(Path(directory)) as server:
        os.environ["CACHE_URL"] = server.url
        import django
        from django.test.utils import override_settings

        django.setup()
        from tests.benchmarks.cache_peers import aliases

        with test_database(), override_settings(CACHES=aliases()):
            yield


def _cache(alias: str) -> Any:
    from django.core.cache import caches

    return caches[alias]


def _fill(name: str, value: Any) -> None:
    for alias in (*PEERS, *OURS):
        # msgpack alone knows no datetime and no tuple: it gets the value as JSON would have it.
        plain = json.loads(json.dumps(value, default=str)) if "msgpack" in alias else value
        _cache(alias).set(name, plain, 3600)
        _cache(alias).get(name)
    _cache("ours-tiered").engine.tracker.wait(5)
    time.sleep(0.05)
    for alias in (*PEERS, *OURS):
        _cache(alias).get(name)


def _readers(name: str) -> dict[str, Callable[[], Any]]:
    def reader(alias: str) -> Callable[[], Any]:
        get = _cache(alias).get
        return lambda: get(name)

    return {alias: reader(alias) for alias in (*PEERS, *OURS)} | {"socket": _raw(name)}


def _orm() -> Callable[[], Any]:
    """50 messages of one conversation as instances, by the index that the pages use."""
    from conversations.models import Conversation, Message
    from tests.benchmarks.cached_chat import seed

    seed(users=1, per_user=20, each=50)
    conversation = Conversation.objects.first()
    return lambda: list(Message.objects.filter(conversation=conversation).order_by("-pk")[:50])


def _writers(name: str, value: Any) -> dict[str, Callable[[], Any]]:
    def writer(alias: str) -> Callable[[], Any]:
        plain = json.loads(json.dumps(value, default=str)) if "msgpack" in alias else value
        return lambda: _cache(alias).set(f"w-{name}", plain, 3600)

    return {alias: writer(alias) for alias in (*PEERS, *OURS)}


def _raw(name: str) -> Callable[[], Any]:
    """A bare socket and the same entry: what nothing in Python can be faster than."""
    import hiredis
    from django.conf import settings

    address = urlsplit(settings.CACHE_URL)
    sock = socket.create_connection((address.hostname, address.port))
    db = address.path.strip("/") or "0"
    reader, command = hiredis.Reader(), hiredis.pack_command(("GET", f"ours-redis:1:{name}"))
    sock.sendall(hiredis.pack_command(("SELECT", db)))
    sock.recv(100)

    def ask() -> Any:
        sock.sendall(command)
        while True:
            reader.feed(sock.recv(65536))
            if (reply := reader.gets()) is not False:
                return reply

    return ask


def _shuffled(peers: Iterable[Any]) -> list[Any]:
    """Whoever comes after a peer that asks the server finds it awake: nobody always does."""
    order = list(peers)
    _rng.shuffle(order)
    return order


def _interleaved(
    calls: dict[str, Callable[[], Any]], options: argparse.Namespace, share: int = 1
) -> Figures:
    clock, medians, every = time.perf_counter, {n: [] for n in calls}, {n: [] for n in calls}
    for _ in range(options.rounds):
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(options.calls // share):
            for name, call in _shuffled(calls.items()):
                began = clock()
                call()
                taken[name].append(clock() - began)
        for name, times in taken.items():
            medians[name].append(statistics.median(times))
            every[name] += times
    return _percentiles(medians, every)


async def _interleaved_async(key: str, options: argparse.Namespace) -> Figures:
    clock, names = time.perf_counter, (*PEERS, *OURS)
    medians, every = {n: [] for n in names}, {n: [] for n in names}
    for _ in range(options.rounds):
        taken: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(options.calls // 2):
            for name in _shuffled(names):
                cache = _cache(name)
                began = clock()
                await cache.aget(key)
                taken[name].append(clock() - began)
        for name, times in taken.items():
            medians[name].append(statistics.median(times))
            every[name] += times
    return _percentiles(medians, every)


def _percentiles(medians: dict[str, list[float]], every: dict[str, list[float]]) -> Figures:
    return {
        name: {
            "p50": round(statistics.median(medians[name]) * 1e6, 2),
            "p99": round(sorted(every[name])[int(len(every[name]) * 0.99)] * 1e6, 2),
        }
        for name in medians
    }


def _stored(values: dict[str, Any]) -> Figures:
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.CACHE_URL) as client:
        return {
            name: {a: client.strlen(f"{a}:1:{name}") for a in (*PEERS[1:], *OURS)}
            for name in values
        }


WRITER = """
import sys, time, redis
client = redis.Redis.from_url(sys.argv[1])
for line in sys.stdin:
    began = time.monotonic_ns()
    client.set(sys.argv[2], began // 1000)
    print("done", flush=True)
"""


def _invalidation(writes: int = 300) -> Figures:
    """From the start of another process's write to its being read here, in ms."""
    from django.conf import settings

    cache = _cache("ours-tiered")
    name = cache.make_key("watched")
    delays, reads = [], 0
    command = [sys.executable, "-c", WRITER, settings.CACHE_URL, name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin
        assert writer.stdout
        cache.set("watched", 0)
        for _ in range(writes):
            before = cache.get("watched")
            writer.stdin.write("\n")
            writer.stdin.flush()
            while (seen := cache.get("watched")) == before:
                reads += 1
                time.sleep(0.0002)
            delays.append(time.monotonic_ns() / 1e6 - seen / 1e3)
            writer.stdout.readline()
    delays.sort()
    return {
        "p50_ms": round(delays[writes // 2], 3),
        "p99_ms": round(delays[int(writes * 0.99)], 3),
        "reads": reads,
    }


HERD_CODE = """
import sys, threading, time, os
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django; from django.conf import settings; django.setup()
from django.core.cache import caches
from django.test.utils import override_settings
from tests.benchmarks.cache_peers import aliases
from performance.cache import remember
alias, threads = sys.argv[1], int(sys.argv[2])
override_settings(CACHES=aliases()).enable()
loads = []
def load():
    loads.append(1); time.sleep(1); return "value"
def call():
    remember("herd", load, cache=alias) if alias.startswith("ours") else caches[alias].get_or_set("herd", load, 60)
caches[alias].get("warm")
print("ready", flush=True); sys.stdin.readline()
all_ = [threading.Thread(target=call) for _ in range(threads)]
[t.start() for t in all_]; [t.join() for t in all_]
print(len(loads), flush=True)
os._exit(0)
"""


def _herd() -> Figures:
    """Loads of one missing key that 100 callers in 4 processes ask for at once."""
    return {alias: _herd_of(alias) for alias in ("core", "django-redis", *OURS)}


def _herd_of(alias: str) -> int:
    command = [sys.executable, "-c", HERD_CODE, alias, str(HERD[1])]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(HERD[0])
    ]
    for worker in workers:
        assert worker.stdout
        worker.stdout.readline()
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    return sum(int(worker.communicate()[0]) for worker in workers)


def _clearing(keys: int = 20_000) -> Figures:
    """Milliseconds to forget 20,000 keys: a pattern in django-redis, a namespace here."""
    from performance.cache import namespace

    theirs, ours = _cache("django-redis"), _cache("ours-redis")
    for start in range(0, keys, 1000):
        batch = {f"clear:{n}": n for n in range(start, start + 1000)}
        theirs.set_many(batch)
        ours.set_many(batch)
    space = namespace("clear", cache="ours-redis")
    space.key("any")
    figures = {}
    for name, clear in (
        ("namespace.clear", space.clear),
        ("ours clear()", ours.clear),
        ("django-redis delete_pattern", lambda: theirs.delete_pattern("clear:*")),
        (
            "django-redis delete_pattern itersize=1000",
            lambda: theirs.delete_pattern("clear:*", itersize=1000),
        ),
    ):
        if "itersize" in name:
            for start in range(0, keys, 1000):
                theirs.set_many({f"clear:{n}": n for n in range(start, start + 1000)})
        began = time.perf_counter()
        clear()
        figures[name] = round((time.perf_counter() - began) * 1000, 3)
    return figures


def _ratios(figures: Figures) -> Figures:
    hit, ahit, size = figures["hit_us"], figures["async_hit_us"], figures["stored_bytes"]

    def times(table: Figures, peer: str, ours: str) -> float:
        return round(table[peer]["p50"] / table[ours]["p50"], 2)

    ratios: Figures = {}
    for name in ("small", "conversation"):
        ratios[f"tier1_{name}_faster_than"] = {
            p: times(hit[name], p, "ours-tiered") for p in (*PEERS, "orm") if p in hit[name]
        }
        ratios[f"tier2_{name}_faster_than"] = {
            p: times(hit[name], p, "ours-redis") for p in PEERS[1:]
        }
        ratios[f"async_tier1_{name}_faster_than"] = {
            p: times(ahit[name], p, "ours-tiered") for p in PEERS
        }
        ratios[f"async_tier2_{name}_faster_than"] = {
            p: times(ahit[name], p, "ours-redis") for p in PEERS[1:]
        }
        ratios[f"tier2_{name}_over_socket"] = {
            p: times(hit[name], p, "socket") for p in ("core", "django-redis", "ours-redis")
        }
        ratios[f"bytes_{name}_of_pickle"] = round(
            size[name]["ours-redis"] / size[name]["django-redis"], 3
        )
    ratios["herd_loads"] = figures["herd"]
    return ratios
