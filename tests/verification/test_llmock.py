"""`OpenAIBackend` against a mock of providers that we did not write, which judges its clients."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from llmock.pytest_plugin import LLMock

from conversations import tools
from conversations.ai.base import ChatRequest, Event, Finish, Text, ToolCall, ToolSpec, Turn, Usage
from conversations.ai.exceptions import (
    BackendOverloaded,
    BackendTimeout,
    ChatBackendError,
    ContextTooLong,
    MalformedAnswer,
    RateLimited,
    StreamInterrupted,
)
from conversations.ai.openai import OpenAIBackend, retry
from conversations.ai.openai.breaker import breaker_for

SPEC = ToolSpec(
    "calculator",
    "Calculates.",
    {
        "type": "object",
        "properties": {"expression": {"type": "string"}},
        "required": ["expression"],
    },
)


@pytest.fixture(autouse=True)
def _own_breaker_and_short_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.05)
    yield
    breaker_for.cache_clear()


@pytest.fixture(autouse=True)
def _no_turns_taken(queue_redis: object) -> None:
    """What one test's provider asked of its key is not another's."""


def request(text: str = "Hello", *specs: ToolSpec) -> ChatRequest:
    return ChatRequest(turns=(Turn("user", text),), tools=specs)


def ask(base_url: str, asked: ChatRequest, **options: Any) -> list[Event]:
    async def main() -> list[Event]:
        entry = {"base_url": base_url, "model": "gpt-4o", "api_key": "k"}
        backend = OpenAIBackend("default", entry | options)
        return [event async for event in backend.stream(asked)]

    return asyncio.run(main())


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def test_streams_text_and_usage(llmock: LLMock) -> None:
    llmock.reply("Grüße, one and all! 🦉")
    events = ask(llmock.base_url(), request())
    assert text_of(events) == "Grüße, one and all! 🦉"
    assert len([event for event in events if isinstance(event, Text)]) > 3
    assert [type(event) for event in events[-2:]] == [Usage, Finish]
    llmock.assert_resilient(strict=True)


def test_tool_calls_come_whole_and_their_results_go_back(llmock: LLMock) -> None:
    arguments = {"expression": "17.5 / 100 * 240 + (1 + 2)"}
    llmock.call_tool("calculator", arguments)
    asked = request("What is that?", SPEC)
    *_, call, _, finish = ask(llmock.base_url(), asked)
    assert isinstance(call, ToolCall)
    assert call.name == "calculator"
    assert "17.5 / 100" in call.arguments
    assert finish == Finish("tool_calls")
    turns = (*asked.turns, Turn("assistant", "", (call,)), Turn("tool", "45", (), call.id))
    llmock.reply("It is 45.")
    assert text_of(ask(llmock.base_url(), ChatRequest(turns, tools=(SPEC,)))) == "It is 45."
    llmock.assert_resilient(strict=True)


def test_all_our_tools_are_accepted(llmock: LLMock) -> None:
    llmock.tool_mode("off")
    assert text_of(ask(llmock.base_url(), request("Hi", *tools.specs())))


def test_rate_limits_and_faults_are_waited_out(llmock: LLMock) -> None:
    llmock.rate_limit(times=1, retry_after=0.4).fail(503, retry_after=0.1).reply("At last.")
    start = time.monotonic()
    assert text_of(ask(llmock.base_url(), request())) == "At last."
    assert time.monotonic() - start >= 0.4
    llmock.assert_resilient(strict=True)


def test_an_outage_ends_in_a_named_error(llmock: LLMock) -> None:
    llmock.fail(503, times=None, retry_after=0.1)
    with pytest.raises(BackendOverloaded):
        ask(llmock.base_url(), request())
    assert len(llmock.requests) == 4
    llmock.assert_resilient()


def test_too_long_a_prompt(llmock: LLMock) -> None:
    llmock.context_overflow()
    with pytest.raises(ContextTooLong):
        ask(llmock.base_url(), request())
    llmock.limits(context_window=50)
    with pytest.raises(ContextTooLong):
        ask(llmock.base_url(), request("word " * 400))
    llmock.assert_resilient(strict=True)


def test_a_real_quota(llmock: LLMock) -> None:
    llmock.limits(rpm=1)
    ask(llmock.base_url(), request())
    with pytest.raises(RateLimited) as caught:
        ask(llmock.base_url(), request(), tries=1, limits={"longest_wait": 1})
    assert (caught.value.retry_after or 0) > 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("disconnect", StreamInterrupted),
        ("truncate", StreamInterrupted),
        ("corrupt", MalformedAnswer),
    ],
)
def test_a_broken_stream_is_an_error_and_can_be_tried_again(
    llmock: LLMock, fault: str, kind: type[ChatBackendError]
) -> None:
    getattr(llmock, fault)(after_chunks=3)
    with pytest.raises(kind) as caught:
        ask(llmock.base_url(), request())
    assert caught.value.retryable
    assert text_of(ask(llmock.base_url(), request()))
    llmock.assert_resilient()


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ({"after_chunks": 2, "seconds": 3}, {"gap_timeout": 0.2}),
        ({"after_chunks": 0, "seconds": 3}, {"first_event_timeout": 0.2}),
    ],
)
def test_a_stall_ends_in_time(
    llmock: LLMock, fault: dict[str, Any], options: dict[str, float]
) -> None:
    llmock.stall(**fault)
    start = time.monotonic()
    with pytest.raises(BackendTimeout):
        ask(llmock.base_url(), request(), **options)
    assert time.monotonic() - start < 2


@pytest.fixture
def chaotic_server(unused_port: int) -> Iterator[str]:
    """llmock's own process with faults of every kind at random."""
    arguments = (
        "serve --log-level warning --stream-stall-seconds 2 --error-rate-429 0.1"
        " --stream-chunk-delay-ms 10 --error-rate-500 0.08 --error-rate-503 0.08 --stream-fault disconnect=0.08"
        " --stream-fault truncate=0.08 --stream-fault malformed=0.08 --stream-fault stall=0.04"
    )
    command = [sys.executable, "-m", "llmock.cli", *arguments.split(), "--port", str(unused_port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{unused_port}"
        try:
            _wait_until_up(url)
            yield url
        finally:
            process.terminate()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(url: str) -> None:
    for _ in range(100):
        try:
            httpx2.get(f"{url}/_llmock/requests")
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("llmock did not start")


@pytest.mark.slow
def test_verdict_after_random_faults(chaotic_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 users, each of whom presses "try again" while the error says that this may help.

    Slow: llmock asks for a second's wait after each 429.
    """
    outcomes = asyncio.run(_thirty_users(f"{chaotic_server}/v1"))
    assert outcomes.count("") == 30, outcomes
    command = [sys.executable, "-m", "llmock.cli", "report", "--url", chaotic_server]
    report = subprocess.run(command, capture_output=True, text=True, check=False)
    assert report.returncode == 0, report.stdout


async def _thirty_users(base_url: str) -> list[str]:
    options = {"base_url": base_url, "model": "m", "api_key": "k", "gap_timeout": 0.5}
    backend = OpenAIBackend("default", options)
    return await asyncio.gather(*(_user(backend, number) for number in range(30)))


async def _user(backend: OpenAIBackend, number: int) -> str:
    code = ""
    for _ in range(12):
        try:
            events = [event async for event in backend.stream(request(f"Question {number}"))]
        except ChatBackendError as error:
            code = error.code
            await asyncio.sleep(error.retry_after or 0.1)
        else:
            assert isinstance(events[-1], Finish)
            return ""
    return code
