"""The Redis clients of this process: one for all five queues, kept, safe over fork and threads."""

from __future__ import annotations

from functools import cache
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from django.core.signals import setting_changed
from django_rq.connection_utils import get_redis_connection
from redis.backoff import NoBackoff
from redis.retry import Retry

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
    found = get_redis_connection(queue_settings())
    found.connection_pool.connection_kwargs.update(_LIMITS, retry=Retry(NoBackoff(), 1))
    return found


def async_client(*, socket_timeout: float = 5.0) -> redis.asyncio.Redis:
    """A new asyncio client of the same server; the caller closes it."""
    pool = client().connection_pool
    known = ("host", "port", "db", "username", "password", "path")
    kwargs = {key: pool.connection_kwargs[key] for key in known if key in pool.connection_kwargs}
    if "path" in kwargs:
        kwargs["unix_socket_path"] = kwargs.pop("path")
    kwargs["ssl"] = issubclass(pool.connection_class, redis.SSLConnection)
    return redis.asyncio.Redis(
        **kwargs,
        socket_timeout=socket_timeout,
        socket_connect_timeout=1.0,
        retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
        health_check_interval=0,
        protocol=2,
    )


def _forget(*, setting: str, **_kwargs: Any) -> None:
    if setting == "RQ_QUEUES":
        client.cache_clear()


setting_changed.connect(_forget, dispatch_uid="performance.queues.connection")
