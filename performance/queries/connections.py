"""What connections cost beside statements: the wait for one, long transactions, the pool's state.

Django and psycopg have no hook there, so two methods of a connection (`set_autocommit`, which begins and
ends a transaction, and `connect`) and one of a pool (`getconn`) are shadowed on the object itself, once.
"""

from __future__ import annotations

import time
from time import perf_counter_ns
from typing import Any
from weakref import WeakValueDictionary

from django.db.backends.base.base import BaseDatabaseWrapper

from performance import conf, metrics
from performance.queries import call_sites
from performance.queries.scope import current

STATISTICS_EVERY = 5.0

_pools: WeakValueDictionary[str, Any] = WeakValueDictionary()


def watch_transactions(connection: BaseDatabaseWrapper) -> None:
    """Has long transactions of this connection told to the scope that they end in."""
    if "set_autocommit" in vars(connection):
        return
    original = connection.set_autocommit
    began = 0

    def set_autocommit(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        nonlocal began
        if not autocommit:
            began = perf_counter_ns()
        original(autocommit, *args, **kwargs)
        if autocommit and began:
            took, began = perf_counter_ns() - began, 0
            if took >= conf.current().queries.long_transaction_ms * 1e6:
                _long_transaction(took)

    original_connect = connection.connect

    def connect() -> None:
        nonlocal began
        began = 0  # of a transaction that the connection before was lost in
        original_connect()

    connection.set_autocommit = set_autocommit  # type: ignore[method-assign]
    connection.connect = connect  # type: ignore[method-assign]


def _long_transaction(took: int) -> None:
    scope = current()
    if scope is not None:
        found = (took / 1e9, call_sites.here(), call_sites.correlation_id())
        scope.transactions.append(found)


def watch_pool(connection: BaseDatabaseWrapper) -> None:
    """Has the waits for connections of this connection's pool measured, if it has one."""
    pool: Any = getattr(connection, "pool", None)
    if pool is None or "getconn" in vars(pool):
        return
    alias, original = connection.alias, pool.getconn

    def getconn(*args: Any, **kwargs: Any) -> Any:
        began = perf_counter_ns()
        try:
            return original(*args, **kwargs)
        finally:
            took = perf_counter_ns() - began
            scope = current()
            if scope is not None:
                scope.waited += took
            metrics.observe("connection_wait_seconds", took / 1e9, alias=alias)

    pool.getconn = getconn
    _pools[alias] = pool


class PoolStatistics:
    """Call it often: every few seconds it samples the pools of this process."""

    def __init__(self) -> None:
        self._next = 0.0
        self._before: dict[tuple[str, str], int] = {}

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + STATISTICS_EVERY
            for alias, pool in list(_pools.items()):
                self._sample(alias, pool.get_stats())

    def _sample(self, alias: str, now: dict[str, int]) -> None:
        size, idle = now.get("pool_size", 0), now.get("pool_available", 0)
        levels = {
            "used": size - idle,
            "idle": idle,
            "waiting": now.get("requests_waiting", 0),
            "max": now.get("pool_max", 0),
        }
        for state, level in levels.items():
            metrics.gauge("pool_connections", level, alias=alias, state=state)
        self._count("pool_timeouts", alias, now.get("requests_errors", 0))
        broken = now.get("returns_bad", 0) + now.get("connections_lost", 0)
        self._count("pool_connections_lost", alias, broken)

    def _count(self, name: str, alias: str, total: int) -> None:
        """psycopg counts from the pool's beginning; a new pool begins at 0."""
        more = total - self._before.get((name, alias), 0)
        self._before[name, alias] = total
        if more > 0:
            metrics.count(name, more, alias=alias)
