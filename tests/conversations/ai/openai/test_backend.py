from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest
import structlog

from conversations.ai.base import ChatRequest, Event, Finish, Text, ToolCall, ToolSpec, Turn
from conversations.ai.exceptions import (
    BackendOverloaded,
    BackendTimeout,
    BackendUnreachable,
    BadCredentials,
    ChatBackendError,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    StreamInterrupted,
)
from conversations.ai.openai import OpenAIBackend, client, retry
from conversations.ai.openai.breaker import FAILURES, breaker_for
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
    status,
)

HELLO_EVENTS: list[Event] = [Text("Hello"), Finish("stop")]
REQUEST = ChatRequest(turns=(Turn("user", "What is hunter2?"),))
GOOD = answering(SSE, HELLO, STOP, DONE)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    yield
    breaker_for.cache_clear()


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


def test_request_on_the_wire() -> None:
    spec = ToolSpec("add", "Adds.", {"type": "object", "properties": {}})
    call = ToolCall("c1", "add", '{"x": 1}')
    turns = (Turn("user", "Hi"), Turn("assistant", "", (call,)), Turn("tool", "2", (), "c1"))
    request = ChatRequest(turns, system="Be brief.", tools=(spec,), max_output_tokens=9)

    async def main() -> Connection:
        async with serving(GOOD) as server:
            with structlog.contextvars.bound_contextvars(request_id="r-1", correlation_id="c-9"):
                await collect(backend(server, extra_body={"temperature": 0}), request)
            return server.connections[0]

    connection = asyncio.run(main())
    head = connection.head.decode().lower()
    assert head.startswith("post /v1/chat/completions http/1.1")
    assert "authorization: bearer sk-secret" in head
    assert "x-request-id: c-9" in head
    function = {"name": "add", "description": "Adds.", "parameters": spec.parameters}
    asked = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"x": 1}'}}
    assert json.loads(connection.body) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": None, "tool_calls": [asked]},
            {"role": "tool", "content": "2", "tool_call_id": "c1"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [{"type": "function", "function": function}],
        "max_tokens": 9,
        "temperature": 0,
    }


@pytest.mark.parametrize(
    "chunks",
    [
        (SSE, HELLO, STOP, DONE),
        (SSE, HELLO, STOP),
        (SSE, HELLO, DONE),
        (SSE, b": ping\r\n\r\n", HELLO.replace(b"\n", b"\r\n"), STOP.rstrip()),
        (SSE, *(bytes([byte]) for byte in HELLO + STOP)),
    ],
    ids=["plain", "no done", "no finish reason", "comments and CRLF", "byte by byte"],
)
def test_tolerates(chunks: tuple[bytes, ...]) -> None:
    assert play(answering(*chunks))[0] == HELLO_EVENTS


def test_a_server_that_does_not_stream() -> None:
    message = {"message": {"content": "Hello"}, "finish_reason": "stop"}
    body = json.dumps({"choices": [message]}, indent=1)
    events, _ = play(status("200 OK", "Content-Type: application/json", body=body))
    assert events == HELLO_EVENTS


@pytest.mark.parametrize("line", ["408 X", "409 X", "429 X", "500 X", "503 X", "529 X"])
def test_asks_again(line: str) -> None:
    events, connections = play(status(line), status(line), GOOD)
    assert events == HELLO_EVENTS
    assert len(connections) == 3


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        (RateLimited, status("429 X")),
        (BackendOverloaded, status("500 X")),
        (StreamInterrupted, answering()),
        (StreamInterrupted, answering(SSE)),
    ],
)
def test_gives_up_after_three_tries(kind: type[ChatBackendError], script: Script) -> None:
    assert fail(kind, script) == 3


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        (BadCredentials, status("401 X")),
        (RequestRefused, status("400 X")),
        (RequestRefused, status("404 X", body="secret")),
        (RequestRefused, status("307 X", "Location: http://169.254.169.254/")),
        (RateLimited, status("429 X", "Retry-After: 3600")),
        (MalformedAnswer, answering(SSE, b"data: {\n\n")),
        (StreamInterrupted, answering(SSE, HELLO)),
        (MalformedAnswer, answering(SSE, HELLO, b"data: " + b"x" * 1_100_000)),
    ],
    ids=["401", "400", "404", "redirect", "an hour", "malformed", "cut off", "endless line"],
)
def test_does_not_ask_again(kind: type[ChatBackendError], script: Script) -> None:
    assert fail(kind, script) == 1


def test_retry_after_is_honoured() -> None:
    start = time.monotonic()
    events, _ = play(status("429 X", "retry-after-ms: 300", "Retry-After: 9"), GOOD)
    assert events == HELLO_EVENTS
    assert 0.3 <= time.monotonic() - start < 2


async def _stall(connection: Connection) -> None:
    await connection.wait_closed()


async def _stall_inside(connection: Connection) -> None:
    await connection.send(SSE, HELLO)
    await connection.wait_closed()


async def _ping_for_ever(connection: Connection) -> None:
    await connection.send(SSE, HELLO)
    while True:
        await connection.send(b": ping\n\n")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "option"),
    [
        (_stall, "first_event_timeout"),
        (answering(SSE), "first_event_timeout"),
        (_stall_inside, "gap_timeout"),
        (_ping_for_ever, "gap_timeout"),
    ],
)
def test_silence_has_a_limit(script: Script, option: str) -> None:
    async def keep_open(connection: Connection) -> None:
        await script(connection)
        await connection.wait_closed()

    start = time.monotonic()
    assert fail(BackendTimeout, keep_open, **{option: 0.15}) == 1
    assert time.monotonic() - start < 2


def test_nobody_listens() -> None:
    async def main() -> None:
        async with serving(GOOD) as server:
            pass
        with pytest.raises(BackendUnreachable):
            await collect(backend(server))

    asyncio.run(main())


def test_a_dead_server_is_left_alone_for_a_while() -> None:
    async def main() -> None:
        async with serving(status("503 X")) as server:
            one = backend(server)
            for _ in range(FAILURES):
                with pytest.raises((BackendOverloaded, BackendUnreachable)):
                    await collect(one)
            assert len(server.connections) == FAILURES

    asyncio.run(main())


def _leaving(leave: Callable[[OpenAIBackend], Awaitable[None]]) -> None:
    async def main() -> None:
        async with serving(_stall_inside) as server:
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


def test_neither_key_nor_prompt_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    play(status("503 X", body='{"error": {"message": "sk-secret hunter2"}}'), GOOD)
    fail(BadCredentials, status("401 X", body="sk-secret hunter2"))
    assert "chat_backend_retry" in caplog.text
    assert "sk-secret" not in caplog.text
    assert "hunter2" not in caplog.text
