from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from conversations.ai.base import Text
from conversations.ai.exceptions import RequestRefused
from conversations.ai.openai import OpenAIBackend, client
from tests.conversations.ai.openai.asking import (
    GOOD,
    HELLO_EVENTS,
    REQUEST,
    backend,
    collect,
    stall_inside,
)
from tests.conversations.ai.openai.scripted import DONE, HELLO, STOP, Connection, serving


def _leaving(leave: Callable[[OpenAIBackend], Awaitable[None]]) -> None:
    async def main() -> None:
        async with serving(stall_inside) as server:
            await leave(backend(server))
            await asyncio.wait_for(server.left.wait(), 1)

    asyncio.run(main())


def test_closing_the_generator_closes_the_connection() -> None:
    async def leave(one: OpenAIBackend) -> None:
        async with aclosing(one.stream(REQUEST)) as events:
            assert await anext(events) == Text("Hello")

    _leaving(leave)


def test_cancelling_the_task_closes_the_connection() -> None:
    async def leave(one: OpenAIBackend) -> None:
        task = asyncio.create_task(collect(one))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    _leaving(leave)


def test_a_finished_answer_leaves_its_connection_for_the_next() -> None:
    body = HELLO + STOP + DONE
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    async def twice(connection: Connection) -> None:
        await connection.send(head.encode(), body)
        await connection.receive()
        await connection.send(head.encode(), body)

    async def main() -> None:
        async with serving(twice) as server:
            one = backend(server)
            assert await collect(one) == await collect(one) == HELLO_EVENTS
            assert len(server.connections) == 1

    asyncio.run(main())


def test_one_client_per_loop_closed_with_it() -> None:
    async def main() -> Any:
        async with serving(GOOD) as server:
            url = backend(server).settings.url
            one = await client.client_for(url)
            assert one is await client.client_for(url)
            return one

    first, second = asyncio.run(main()), asyncio.run(main())
    assert first is not second
    assert first.is_closed
    assert second.is_closed


def test_a_refusal_too_long_to_read_is_hung_up_on() -> None:
    async def babble(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 400 X\r\nContent-Length: 1000000\r\n\r\n", b"x" * 100_000)
        await connection.wait_closed()

    async def main() -> None:
        async with serving(babble) as server:
            with pytest.raises(RequestRefused):
                await collect(backend(server))
            await asyncio.wait_for(server.left.wait(), 1)

    asyncio.run(main())
