"""`OpenAIBackend` against llama.cpp's own server with a real, if tiny, model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import httpx2
import pytest

from conversations.ai.base import ChatRequest, Event, Finish, Text, Turn, Usage
from conversations.ai.exceptions import ContextTooLong
from conversations.ai.local_model import CONTEXT, start_server
from conversations.ai.openai import OpenAIBackend


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    """The URL of a server that tells what its slots are doing."""
    server, url = start_server(1, shows_slots=True)
    yield url
    del server


def backend(url: str) -> OpenAIBackend:
    # The same words each time, and as many as may be: by chance it would end sooner.
    sure = {"temperature": 0, "ignore_eos": True}
    options = {"base_url": f"{url}/v1", "model": "SmolLM2", "first_event_timeout": 60.0}
    return OpenAIBackend("default", options | {"gap_timeout": 60.0, "extra_body": sure})


def asking(text: str, tokens: int) -> ChatRequest:
    return ChatRequest((Turn("user", text),), max_output_tokens=tokens)


async def collect(one: OpenAIBackend, request: ChatRequest) -> list[Event]:
    return [event async for event in one.stream(request)]


def test_streams_and_counts(llama: str) -> None:
    events = asyncio.run(collect(backend(llama), asking("Count from one to ten.", 12)))
    *texts, usage, finish = events
    # The server puts several tokens into one chunk when it is busy.
    assert len([text for text in texts if isinstance(text, Text)]) > 1
    assert isinstance(usage, Usage)
    assert usage.input_tokens > 10
    assert usage.output_tokens == 12
    assert finish == Finish("length")


def test_too_long_for_its_context(llama: str) -> None:
    with pytest.raises(ContextTooLong):
        asyncio.run(collect(backend(llama), asking("word " * CONTEXT * 2, 5)))


def is_busy(slots: list[dict[str, Any]]) -> bool:
    return any(slot["is_processing"] for slot in slots)


@pytest.mark.parametrize("way", ["close", "cancel"])
def test_stop_reaches_the_provider(llama: str, way: str) -> None:
    asyncio.run(_stop(llama, way))


async def _stop(llama: str, way: str) -> None:
    """The slot is free long before the 1,500 tokens have been written."""
    request = asking("Tell me a very long story about a whale.", 1500)
    async with httpx2.AsyncClient() as watcher:

        async def slots() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await watcher.get(f"{llama}/slots", timeout=60)).json()
            return found

        async def busy() -> bool:
            return is_busy(await slots())

        if way == "close":
            async with aclosing(backend(llama).stream(request)) as events:
                assert isinstance(await anext(events), Text)
                assert await busy()
        else:
            task = asyncio.create_task(collect(backend(llama), request))
            while not await busy():
                await asyncio.sleep(0.02)
            task.cancel()
        while await busy():
            await asyncio.sleep(0.02)
        # What a slot holds is its prompt and what it has written.
        assert max(slot.get("n_prompt_tokens", 0) for slot in await slots()) < 500
