"""From LOCATION and OPTIONS to redis-py's pools, through django-redis's factories.

redis://host:6379/1                            one server (also rediss://, unix://)
redis://a/1,redis://b/1                        a primary and its replicas
redis+sentinel://s1:26379,s2:26379/mymaster/1  the primary that the sentinels name
redis+cluster://n1:7000,n2:7000                a cluster
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django_redis.pool import ConnectionFactory, SentinelConnectionFactory
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

TIMEOUT = 0.2  # seconds to connect, and to wait for a reply
SENTINEL = re.compile(r"redis(s?)\+sentinel://(?:([^@/]*)@)?([^/]+)/([^/?]+)(?:/(\d+))?$")
CLUSTER = re.compile(r"redis(s?)\+cluster://(.+)$")


class Plan(NamedTuple):
    """What to connect to and how: `servers` are URLs, the first one is written to."""

    servers: list[str]
    options: dict[str, Any]


def plan(location: str | list[str] | tuple[str, ...], options: dict[str, Any]) -> Plan:
    """Raises ImproperlyConfigured for a location that names no server."""
    if not location:
        raise ImproperlyConfigured("a Redis cache needs a LOCATION")
    options = _defaults() | options
    if isinstance(location, str):
        if found := SENTINEL.match(location):
            return _sentinel(found, options)
        if found := CLUSTER.match(location):
            return _cluster(found, options)
        location = [part for part in re.split(r"[;,]", location) if part]
    servers = [server.strip() for server in location]
    if options.get("CLUSTER"):
        return Plan(servers, _factory(options, ClusterFactory))
    if options.get("SENTINELS"):
        return Plan([_as_primary(servers[0])], _factory(options, SentinelFactory))
    return Plan(servers, _factory(options, Factory))


def _defaults() -> dict[str, Any]:
    return {"SOCKET_TIMEOUT": TIMEOUT, "SOCKET_CONNECT_TIMEOUT": TIMEOUT}


def _factory(options: dict[str, Any], factory: type) -> dict[str, Any]:
    path = f"{factory.__module__}.{factory.__qualname__}"
    return {"CONNECTION_FACTORY": path} | options


def _sentinel(found: re.Match[str], options: dict[str, Any]) -> Plan:
    secure, user, hosts, service, db = found.groups()
    sentinels = [
        (urlsplit(f"//{h}").hostname, urlsplit(f"//{h}").port or 26379) for h in hosts.split(",")
    ]
    url = f"redis{secure}://{user + '@' if user else ''}{service}/{db or 0}"
    options = {"SENTINELS": sentinels} | options
    return Plan([_as_primary(url)], _factory(options, SentinelFactory))


def _as_primary(url: str) -> str:
    return url if "is_master=" in url else f"{url}{'&' if '?' in url else '?'}is_master=1"


def _cluster(found: re.Match[str], options: dict[str, Any]) -> Plan:
    secure, rest = found.groups()
    user, _, hosts = rest.rpartition("@")
    servers = [
        f"redis{secure}://{user + '@' if user else ''}{host.strip('/')}"
        for host in hosts.split(",")
    ]
    return Plan(servers, _factory({"CLUSTER": True} | options, ClusterFactory))


class _Pools:
    """One pool for each address *and* set of options: django-redis's own go by address alone."""

    _pools: ClassVar[dict[str, Any]] = {}
    options: dict[str, Any]

    def get_or_create_connection_pool(self, params: dict[str, Any]) -> Any:
        key = repr((type(self).__name__, params["url"], sorted(map(str, self.options.items()))))
        if key not in self._pools:
            self._pools[key] = self.get_connection_pool(params)
        return self._pools[key]

    def get_connection_pool(self, params: dict[str, Any]) -> Any:
        return super().get_connection_pool(_without_waits(params))  # type: ignore[misc]


def _without_waits(params: dict[str, Any]) -> dict[str, Any]:
    """One more try on a connection that had gone bad; never after a time-out, never a pause."""
    return {"retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))} | params


class Factory(_Pools, ConnectionFactory):  # type: ignore[misc]
    pass


class SentinelFactory(_Pools, SentinelConnectionFactory):  # type: ignore[misc]
    _pools: ClassVar[dict[str, Any]] = {}


class ClusterFactory(Factory):
    """redis-py's cluster client in place of a pool: it finds the other nodes by itself."""

    _clusters: ClassVar[dict[str, Any]] = {}

    def connect(self, url: str) -> Any:
        key = repr((url, sorted(map(str, self.options.items()))))
        if key not in self._clusters:
            params = _without_waits(self.make_connection_params(url)) | self.pool_cls_kwargs
            params.pop("parser_class")
            self._clusters[key] = RedisCluster.from_url(
                params.pop("url"), require_full_coverage=False, **params
            )
        return self._clusters[key]

    def disconnect(self, connection: Any) -> None:
        connection.close()
