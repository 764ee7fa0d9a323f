"""The Redis clients of this process: one for all five queues, kept, safe over fork and threads."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from django.core.signals import setting_changed
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelConnectionPool as AsyncSentinelConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool

from performance.queues.levels import Level

# One retry heals a connection the server has closed; every script of ours may run twice.
_LIMITS: dict[str, Any] = {"socket_timeout": 2.0, "socket_connect_timeout": 1.0}


def queue_settings() -> dict[str, Any]:
    """The entry of RQ_QUEUES that names the server; all levels share one."""
    config: dict[str, Any] = settings.RQ_QUEUES[Level.NORMAL.value]
    return config


@cache
def client() -> redis.Redis:
    """This process's client of the queue server; never closes over a fork."""
    from django_rq.connection_utils import get_redis_connection  # and all of RQ with it

    found = get_redis_connection(queue_settings())
    found.connection_pool.connection_kwargs.update(_LIMITS, retry=Retry(NoBackoff(), 1))
    if isinstance(found.connection_pool, SentinelConnectionPool):
        # Who the primary is must be found out as quickly as everything else.
        for sentinel in found.connection_pool.sentinel_manager.sentinels:
            sentinel.connection_pool.connection_kwargs.update(_LIMITS, retry=Retry(NoBackoff(), 1))
    return found


def async_client(*, socket_timeout: float = 5.0) -> redis.asyncio.Redis:
    """A new asyncio client of the same server, or of the Sentinels' primary; aclose() ends it."""
    pool = client().connection_pool
    limits: dict[str, Any] = {
        "socket_timeout": socket_timeout,
        "socket_connect_timeout": 1.0,
        "retry": AsyncRetry(NoBackoff(), 0),
        "health_check_interval": 0,
        "protocol": 2,
    }
    if isinstance(pool, SentinelConnectionPool):
        return _async_client_of_sentinels(pool, limits)
    kwargs = _place(pool, "host", "port", "db", "username", "password", "path")
    if "path" in kwargs:
        kwargs["unix_socket_path"] = kwargs.pop("path")
    return redis.asyncio.Redis(**kwargs, **_tls(pool), **limits)


def _async_client_of_sentinels(
    pool: SentinelConnectionPool, limits: dict[str, Any]
) -> redis.asyncio.Redis:
    manager = pool.sentinel_manager
    sentinels = [_place(sentinel.connection_pool, "host", "port") for sentinel in manager.sentinels]
    kwargs = _place(pool, "db", "username", "password")
    found: redis.asyncio.Redis = AsyncSentinel(  # type: ignore[no-untyped-call]
        [(place["host"], place["port"]) for place in sentinels],
        sentinel_kwargs={
            **manager.sentinel_kwargs,
            "socket_timeout": 1.0,
            "retry": AsyncRetry(NoBackoff(), 1),
        },
        **kwargs,
        **_tls(pool),
        **limits,
    ).master_for(pool.service_name)
    return found


async def aclose(asynchronous: redis.asyncio.Redis) -> None:
    """Closes the client, and those of its Sentinels, which redis-py leaves open."""
    await asynchronous.aclose()
    pool = asynchronous.connection_pool
    if isinstance(pool, AsyncSentinelConnectionPool):
        await asyncio.gather(*(one.aclose() for one in pool.sentinel_manager.sentinels))


def _place(pool: redis.ConnectionPool, *names: str) -> dict[str, Any]:
    kwargs = pool.connection_kwargs
    return {name: kwargs[name] for name in names if name in kwargs}


def _tls(pool: redis.ConnectionPool) -> dict[str, Any]:
    """Whether and how the connection is encrypted: its certificates, and what is asked of the server's."""
    if not issubclass(pool.connection_class, redis.SSLConnection):
        return {}
    # Of OCSP redis-py's asyncio client knows nothing.
    names = (name for name in pool.connection_kwargs if name.startswith("ssl_"))
    return {"ssl": True} | _place(pool, *(name for name in names if "ocsp" not in name))


def _forget(*, setting: str, **_kwargs: Any) -> None:
    if setting == "RQ_QUEUES":
        client.cache_clear()


setting_changed.connect(_forget, dispatch_uid="performance.queues.connection")
