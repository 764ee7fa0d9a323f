"""Connection pools of this process, sampled before a flush every few seconds."""

from __future__ import annotations

import time
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from performance.metrics import gauge

EVERY = 10.0
_next = 0.0


def statistics() -> dict[str, dict[str, int]]:
    """Of each alias whose pool is open here: connections in use and idle, and callers that wait."""
    found = {}
    for alias in connections:
        pool = _pool_of(connections[alias])
        if pool is not None:
            stats = pool.get_stats()
            size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
            waiting = stats.get("requests_waiting", 0)
            most = stats.get("pool_max", 0)
            found[alias] = {"in_use": size - idle, "idle": idle, "waiting": waiting, "most": most}
    return found


def _pool_of(connection: BaseDatabaseWrapper) -> Any:
    # `connection.pool` would open one; only what is there is asked.
    return getattr(connection, "_connection_pools", {}).get(connection.alias)


def sample() -> None:
    """Records the levels, at most every EVERY seconds."""
    global _next
    if time.monotonic() < _next:
        return
    _next = time.monotonic() + EVERY
    for alias, states in statistics().items():
        for state, number in states.items():
            gauge("pool_connections", number, alias=alias, state=state)
