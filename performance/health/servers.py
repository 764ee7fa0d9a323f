"""The two Redis instances, and the workers that the second one knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import redis
from django.core.cache import caches

from performance.cache.engine import Engine
from performance.cache.transport import Node
from performance.health.board import Facts, Unwell
from performance.queues import connection, inspection


def cache_nodes() -> Iterator[Node]:
    """The servers of all caches in CACHES that are ours, each once."""
    seen = set()
    for alias in caches:
        engine = getattr(caches[alias], "engine", None)
        if isinstance(engine, Engine):
            for node in engine.transport.everywhere():
                if node.name not in seen:
                    seen.add(node.name)
                    yield node


def ask_caches() -> Facts:
    """Asks every server of the caches, past the breaker. Raises what keeps one from answering."""
    found = [_facts(_parsed(node.direct([("INFO",)])[0])) for node in cache_nodes()]
    if not found:
        return {}
    return found[0] if len(found) == 1 else {"servers": found}


def ask_queue() -> Facts:
    info: Any = connection.client().info()
    return _facts(info)


def ask_workers() -> Facts:
    """How many live, what they do. Raises Unwell where there is none."""
    found = inspection.workers()
    facts = {
        "workers": len(found),
        "concurrency": sum(worker.concurrency for worker in found),
        "in_flight": sum(worker.in_flight for worker in found),
    }
    if not found:
        raise Unwell("no worker runs", facts)
    return facts


def levels() -> list[dict[str, Any]]:
    """The queues, level by level; empty where Redis does not answer."""
    try:
        return [dataclasses.asdict(level) for level in inspection.levels()]
    except redis.RedisError:
        return []


def _parsed(info: Any) -> dict[str, Any]:
    if isinstance(info, Exception):
        raise info
    if isinstance(info, bytes):
        lines = info.decode(errors="replace").splitlines()
        return dict(line.partition(":")[::2] for line in lines if ":" in line)
    return dict(info)


def _facts(info: dict[str, Any]) -> Facts:
    name = info.get("server_name", "redis")
    return {
        "version": f"{name} {info.get('valkey_version', info.get('redis_version'))}",
        "uptime_seconds": int(info.get("uptime_in_seconds", 0)),
        "used_bytes": int(info.get("used_memory", 0)),
        "max_bytes": int(info.get("maxmemory", 0)),
        "policy": info.get("maxmemory_policy", ""),
        "connections": int(info.get("connected_clients", 0)),
        "evicted_keys": int(info.get("evicted_keys", 0)),
    }
