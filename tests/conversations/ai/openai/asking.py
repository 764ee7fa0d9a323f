"""Requests to a scripted server, and what came of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conversations.ai.base import ChatRequest, Event, Finish, Text, Turn
from conversations.ai.exceptions import ChatBackendError
from conversations.ai.openai import OpenAIBackend
from tests.conversations.ai.openai.scripted import (
    DONE,
    HELLO,
    SSE,
    STOP,
    Connection,
    Script,
    Server,
    answering,
    serving,
)

HELLO_EVENTS: list[Event] = [Text("Hello"), Finish("stop")]
REQUEST = ChatRequest(turns=(Turn("user", "What is hunter2?"),))
GOOD = answering(SSE, HELLO, STOP, DONE)


def backend(server: Server, **options: Any) -> OpenAIBackend:
    defaults = {"base_url": server.url, "model": "m", "api_key": "sk-secret"}
    return OpenAIBackend("default", defaults | options)


async def collect(one: OpenAIBackend, request: ChatRequest = REQUEST) -> list[Event]:
    return [event async for event in one.stream(request)]


def play(*scripts: Script, **options: Any) -> tuple[list[Event], list[Connection]]:
    """The events of one request to a server with these scripts, and the connections it saw."""

    async def main() -> tuple[list[Event], list[Connection]]:
        async with serving(*scripts) as server:
            return await collect(backend(server, **options)), server.connections

    return asyncio.run(main())


def fail(kind: type[ChatBackendError], *scripts: Script, **options: Any) -> int:
    """The number of connections after which the request failed with `kind`."""

    async def main() -> int:
        async with serving(*scripts) as server:
            with pytest.raises(kind) as caught:
                await collect(backend(server, **options))
            assert type(caught.value) is kind
            assert "secret" not in str(caught.value)
            return len(server.connections)

    return asyncio.run(main())


async def stall_inside(connection: Connection) -> None:
    """Says Hello and then nothing more, until the client has gone."""
    await connection.send(SSE, HELLO)
    await connection.wait_closed()
