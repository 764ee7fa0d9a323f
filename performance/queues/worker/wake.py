"""Tells the worker at once that something was enqueued, whoever did it, without popping anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from performance.queues.levels import RQ_KEY_PREFIX


class Wake:
    """The server's own invalidation messages for the queue lists call `ring`.

    Where the server refuses tracking, `interval` is how often to look instead.
    """

    SEEN, BLIND = 0.5, 0.02

    def __init__(self, client: Any, ring: Callable[[], None]) -> None:
        self._client = client
        self._ring = ring
        self.interval = self.BLIND

    async def listen(self) -> None:
        """Listens until cancelled; connects again whenever it was cut off."""
        while True:
            with suppress(redis.RedisError, OSError):
                await self._listen_once()
            self.interval = self.BLIND
            self._ring()
            await asyncio.sleep(0.5)

    async def _listen_once(self) -> None:
        async with self._client.pubsub() as messages, self._client.client() as tracker:
            receiver = await _client_id(messages)
            await messages.subscribe("__redis__:invalidate")
            await tracker.execute_command(
                *("CLIENT", "TRACKING", "ON", "REDIRECT", receiver),
                *("BCAST", "PREFIX", f"{RQ_KEY_PREFIX}:queue:"),
            )
            self.interval = self.SEEN
            self._ring()
            while True:
                if await messages.get_message(ignore_subscribe_messages=True, timeout=5):
                    self._ring()
                else:
                    await tracker.ping()


async def _client_id(messages: Any) -> int:
    await messages.connect()
    connection = messages.connection
    if connection is None:
        raise redis.ConnectionError("No connection for wake-ups.")
    await connection.send_command("CLIENT", "ID")
    return int(await connection.read_response())
