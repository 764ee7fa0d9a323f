"""What a worker says about its server before it starts."""

from __future__ import annotations

from typing import Any

import redis
import structlog

logger = structlog.get_logger(__name__)


def warn_of_eviction(client: Any) -> None:
    """A server that evicts keys under memory pressure loses jobs without a word."""
    try:
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
    except redis.ResponseError:
        return  # the server does not tell
    if policy != "noeviction":
        logger.error("queue_server_evicts", policy=policy, wanted="noeviction")
