"""Who waits for a worker, in their order: a sorted set that the sweeper writes and hubs read once a second.

Members name the stream and the message, scores are when they began to wait. A worker takes out what it
begins; what else has changed is in the next writing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import redis.asyncio

from conversations.streams.events import stream_key, tell

KEY = "replies:waiting"
MOST = 2000  # places that are told; who is further back sees the one that their page came with
LIFE = 60  # seconds: what nobody keeps up to date is nothing


def keep(waiting: Iterable[tuple[UUID, int, datetime]]) -> bool:
    """Stores all who wait: conversation, message, since when. False where Redis could not be reached."""
    scores = {member(stream_key(one), message): at.timestamp() for one, message, at in waiting}

    def write(client: redis.Redis) -> None:
        pipeline = client.pipeline(transaction=True)
        pipeline.delete(KEY)
        if scores:
            pipeline.zadd(KEY, scores)
            pipeline.expire(KEY, LIFE)
        pipeline.execute()

    return tell(write)


def member(key: str, message_id: int) -> str:
    return f"{key} {message_id}"


async def places(client: redis.asyncio.Redis) -> list[tuple[str, int]]:
    """(stream, message) of those who wait, the first of them first. One command."""
    found: Any = await client.zrange(KEY, 0, MOST - 1)
    pairs = (one.decode().rpartition(" ") for one in found)
    return [(key, int(message)) for key, _, message in pairs]
