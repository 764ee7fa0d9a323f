"""The connection pools of this process."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


def statistics() -> dict[str, dict[str, int]]:
    """Of each alias whose pool is open here: connections in use and idle, and callers that wait."""
    found = {}
    for alias in connections:
        pool = _pool_of(connections[alias])
        if pool is not None:
            stats = pool.get_stats()
            size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
            found[alias] = {
                "used": size - idle,
                "idle": idle,
                "waiting": stats.get("requests_waiting", 0),
                "max": stats.get("pool_max", 0),
            }
    return found


def _pool_of(connection: BaseDatabaseWrapper) -> Any:
    # `connection.pool` would open one; only what is there is asked.
    return getattr(connection, "_connection_pools", {}).get(connection.alias)
