"""Reads that a write overtakes: whatever comes first, the first tier must not keep the old value."""

from __future__ import annotations

from typing import Any
from unittest import mock

from performance.cache.backends import RedisCache, TieredCache


def stale_reads(reader: TieredCache, writer: RedisCache, rounds: int) -> int:
    """How many of `rounds` reads were answered with what had been replaced.

    Each read has its answer; then the value changes, and in half of the rounds the message of the
    change is taken in before the answer is. Both caches are of one prefix.
    """
    local, tracker = reader.engine.first_tier()
    transport = reader.engine.transport
    answer = transport.run
    pending: list[int] = []

    def overtaken(commands: Any, **kwargs: Any) -> Any:
        replies = answer(commands, **kwargs)
        if pending:
            heard, number = local.invalidations, pending.pop()
            writer.set("key", number)
            while number % 2 and local.invalidations == heard:
                tracker.drain()
        return replies

    stale = 0
    with mock.patch.object(transport, "run", overtaken):
        for number in range(rounds):
            local.invalidate(reader.make_key("key"))
            pending.append(number)
            reader.get("key")
            answer([("PING",)])  # the server has sent the message of the write by now
            tracker.drain()
            stale += reader.get("key") != number
    return stale
