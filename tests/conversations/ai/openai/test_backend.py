from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest
import structlog

from conversations.ai.base import ChatRequest, ToolCall, ToolSpec, Turn
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
from conversations.ai.openai.breaker import FAILURES
from tests.conversations.ai.openai.asking import (
    GOOD,
    HELLO_EVENTS,
    backend,
    collect,
    fail,
    play,
    stall_inside,
)
from tests.conversations.ai.openai.scripted import (
    DONE,
    HELLO,
    SSE,
    STOP,
    Connection,
    Script,
    answering,
    serving,
    status,
)


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
def test_gives_up_after_four_tries(kind: type[ChatBackendError], script: Script) -> None:
    assert fail(kind, script) == 4


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
        (stall_inside, "gap_timeout"),
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


def test_neither_key_nor_prompt_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    play(status("503 X", body='{"error": {"message": "sk-secret hunter2"}}'), GOOD)
    fail(BadCredentials, status("401 X", body="sk-secret hunter2"))
    assert "chat_backend_retry" in caplog.text
    assert "sk-secret" not in caplog.text
    assert "hunter2" not in caplog.text
