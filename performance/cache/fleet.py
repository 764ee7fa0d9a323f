"""Counts of all processes together: each adds its own to Redis now and then, in one round trip."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter, defaultdict
from typing import Any

from django.core.cache import caches
from redis.exceptions import RedisError

from performance import conf
from performance.cache.channels import Command
from performance.cache.counts import Histogram, merged, quantiles_ms, summary, total
from performance.cache.engine import Engine, engines
from performance.cache.families import GENERATION
from performance.cache.signals import cache_measured

logger = logging.getLogger("performance.cache")
KEPT_SECONDS = 2 * 3600
LATENCY, LOAD, ERROR = "latency", "load", "error"
Spaces = dict[str, dict[str, float]]


def caches_of_ours() -> dict[str, Any]:
    """alias: cache, of those in CACHES that are ours."""
    found = {alias: caches[alias] for alias in caches}
    return {
        a: cache for a, cache in found.items() if isinstance(getattr(cache, "engine", None), Engine)
    }


class Reporter:
    """The thread that flushes this process's counts; it starts with the first operation."""

    def __init__(self) -> None:
        self.started = False
        self._lock = threading.Lock()
        self._sent: dict[int, Counter[str]] = defaultdict(Counter)
        os.register_at_fork(after_in_child=self._forget)

    def start(self) -> None:
        with self._lock:
            if not self.started:
                self.started = True
                threading.Thread(target=self._run, name="cache-stats", daemon=True).start()

    def flush(self) -> None:
        """Add what was counted since the last time, and tell the receivers of `cache_measured`."""
        for alias, cache in caches_of_ours().items():
            delta = self._delta(cache.engine)
            if delta:
                _add(cache, delta)
                cache_measured.send_robust(sender=type(cache), alias=alias, counts=dict(delta))

    def _delta(self, engine: Engine) -> Counter[str]:
        now = _flat(engine)
        delta = now - self._sent[id(engine)]
        self._sent[id(engine)] = now
        return delta

    def _run(self) -> None:
        while seconds := conf.current().cache.stats_seconds:
            time.sleep(seconds)
            try:
                self.flush()
            except Exception:
                logger.exception("The cache's counts of the last seconds are lost")

    def _forget(self) -> None:
        """In a child everything counted before is the parent's to report."""
        self.started, self._lock = False, threading.Lock()
        for engine in engines():
            self._sent[id(engine)] = _flat(engine)


reporter = Reporter()


def _flat(engine: Engine) -> Counter[str]:
    """Laid out as performance.signals says of `cache_measured`."""
    flat: Counter[str] = Counter()
    for space, counts in list(engine.counts.items()):
        for name, value in counts.as_dict().items():
            flat[f"{space}|{name}"] = int(value * 1e6) if name == "load_seconds" else int(value)
        _add_buckets(flat, f"{space}|{LATENCY}", counts.latency)
    _add_buckets(flat, f"|{LOAD}", engine.load_time)
    for error, number in list(engine.errors.items()):
        flat[f"|{ERROR}|{error}"] = number
    return flat


def _add_buckets(flat: Counter[str], name: str, histogram: Histogram) -> None:
    for bucket, number in list(histogram.buckets.items()):
        flat[f"{name}|{bucket}"] = number


def _bucket(cache: Any, minute: int) -> str:
    return f"cache-stats:{cache.key_prefix}:{minute}"


def _add(cache: Any, delta: Counter[str]) -> None:
    name = _bucket(cache, int(time.time() // 60))
    commands: list[Command] = [("HINCRBY", name, field, str(n)) for field, n in delta.items()]
    cache.engine.transport.run([*commands, ("EXPIRE", name, str(KEPT_SECONDS))])


def collect(cache: Any, minutes: int) -> dict[str, Any]:
    """The counts of all processes in the last minutes. Raises RedisError when the server is away."""
    last = int(time.time() // 60)
    wanted = [("HGETALL", _bucket(cache, minute)) for minute in range(last - minutes + 1, last + 1)]
    counted: Counter[str] = Counter()
    for reply in cache.engine.transport.run(wanted):
        if isinstance(reply, RedisError):
            raise reply
        counted.update(_pairs(reply))
    return _report(counted)


def _pairs(reply: Any) -> dict[str, int]:
    pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
    return {field.decode(): int(value) for field, value in pairs}


def _report(counted: Counter[str]) -> dict[str, Any]:
    spaces: Spaces = defaultdict(dict)
    latencies: dict[str, dict[int, int]] = defaultdict(dict)
    loads: dict[int, int] = {}
    errors: dict[str, int] = {}
    for field, value in counted.items():
        match field.split("|"):
            case [space, "latency", bucket]:
                latencies[space][int(bucket)] = value
            case [_, "load", bucket]:
                loads[int(bucket)] = value
            case [_, "error", kind]:
                errors[kind] = value
            case [space, name]:
                spaces[space][name] = value / 1e6 if name == "load_seconds" else value
    return {
        **summary(total(spaces)),
        "errors_by_class": errors,
        "latency_ms": quantiles_ms(merged(latencies.values())),
        "load_ms": quantiles_ms(loads),
        "namespaces": {
            space: {**summary(spaces[space]), "latency_ms": quantiles_ms(latencies[space])}
            for space in sorted(spaces)
            if space and space != GENERATION
        },
    }
