"""DATABASE_URL to Django's DATABASES entry, with the native pool set the way outages were measured."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from chatsite.timeouts import Timeouts

NO_TIMEOUTS = Timeouts()
SIMPLE = {"redis", "rediss"}
# Another path than a number would silently be database 0.
REDIS = re.compile(
    r"rediss?://[^/?#]*[^/?#@:](/\d*)?(\?.*)?$|rediss?\+\w+://.|unix://.*/.|rediss?://[^,]+,"
)


def postgresql(url: str, *, pool_size: int, timeouts: Timeouts = NO_TIMEOUTS) -> dict[str, Any]:
    """The DATABASES entry of `url`; empty where there is no URL.

    `pool_size` is the most connections one process opens: its threads and two to spare. What the URL
    says under `options` goes before `timeouts`.
    Raises ImproperlyConfigured when the URL is not PostgreSQL's.
    """
    if not url:
        return {}
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url, conn_health_checks=True))
    except ValueError:
        # The library's message holds the URL, and so the password.
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read; it wants postgres://user:password@host:port/name."
        ) from None
    if config.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres://.")
    if not config.get("NAME"):
        raise ImproperlyConfigured(
            "DATABASE_URL names no database; it wants postgres://user:password@host:port/name."
        )
    config["ENGINE"] = "chatsite.postgresql"
    options = config.setdefault("OPTIONS", {})
    options.setdefault("connect_timeout", 2)
    # The server takes the last value of each.
    limits = f"{timeouts.options} {options.get('options', '')}".strip()
    if limits:
        options["options"] = limits
    # No max_waiting: with it, an outage longer than reconnect_timeout leaves the pool dead for good.
    options.setdefault("pool", {"min_size": 1, "max_size": pool_size, "timeout": 2})
    return config


def redis_server(name: str, url: str) -> str:
    """`url`, which the setting `name` holds. Raises ImproperlyConfigured where redis-py would misread it."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme not in SIMPLE or parts.port != 0
    except ValueError:
        is_one = False
    if url and not (is_one and REDIS.match(url)):
        # The URL itself stays out of the message: it holds a password.
        raise ImproperlyConfigured(
            f"{name} must look like redis://user:password@host:port/0, or begin with rediss:// or unix://."
        )
    return url


def same_server(one: str, other: str) -> bool:
    """True where two Redis URLs name the same host and port, or the same socket."""
    return _server(one) == _server(other)


def _server(url: str) -> tuple[str, int] | str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    if parts.scheme not in SIMPLE:  # Sentinels, nodes of a cluster
        return parts.netloc.rpartition("@")[2]
    return (parts.hostname or "localhost").lower(), parts.port or 6379
