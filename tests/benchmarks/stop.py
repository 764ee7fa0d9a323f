"""How soon a stop is acknowledged, and how soon the model's server sees its connection closed.

python -m tests.benchmarks stop [--times 60]

The whole site answers with a model's server in this process, which writes a word every 20 ms and never ends. Both
times run from the first byte of the POST: to its answer, and to the end of the connection. A stop before any
worker has begun must keep the server from being asked at all.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import tempfile
import time
import uuid
from pathlib import Path

import httpx2
from asgiref.sync import sync_to_async

from tests.benchmarks.chat import TOKEN, Person, people
from tests.benchmarks.servers import test_database

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
WORD = b'data: {"choices":[{"delta":{"content":"word "}}]}\n\n'
EVERY = 0.02  # seconds


class EndlessModel:
    """Speaks `/v1/chat/completions`, and says when its client has gone."""

    def __init__(self) -> None:
        self.calls = 0
        self.left = asyncio.Event()
        self.left_at = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.calls += 1
            talking = asyncio.create_task(self._talk(writer))
            while await reader.read(65536):
                pass
            self.left_at = time.perf_counter()
            talking.cancel()
        self.left.set()
        writer.close()

    async def _talk(self, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(WORD)
                await writer.drain()
                await asyncio.sleep(EVERY)


async def stop_while_it_streams(person: Person, model: EndlessModel) -> tuple[float, float]:
    """Seconds to the acknowledgement, and to the end of the model's connection."""
    async with httpx2.AsyncClient(headers=person.headers) as client:
        stream = asyncio.create_task(person.follow(client))
        await asyncio.sleep(0.2)
        person.first_text.clear()
        model.left.clear()
        await _ask(client, person)
        await asyncio.wait_for(person.first_text.wait(), 20)
        await asyncio.sleep(0.15)
        begun = time.perf_counter()
        await _stop(client, person)
        acknowledged = time.perf_counter() - begun
        await asyncio.wait_for(model.left.wait(), 20)
        stream.cancel()
        await _wait_until_stopped(person)
        return acknowledged, model.left_at - begun


async def stop_while_it_waits(person: Person) -> float:
    """Seconds to the acknowledgement, with no worker there."""
    async with httpx2.AsyncClient(headers=person.headers) as client:
        await _ask(client, person)
        begun = time.perf_counter()
        await _stop(client, person)
        return time.perf_counter() - begun


async def _ask(client: httpx2.AsyncClient, person: Person) -> None:
    url = f"{person.url}/c/{person.conversation}/messages/"
    answer = await client.post(url, data={"text": "Go on.", "key": str(uuid.uuid4())})
    answer.raise_for_status()


async def _stop(client: httpx2.AsyncClient, person: Person) -> None:
    newest = await sync_to_async(_newest)(person)
    (
        await client.post(f"{person.url}{newest}", data={"csrfmiddlewaretoken": TOKEN})
    ).raise_for_status()


def _newest(person: Person) -> str:
    from django.urls import reverse

    from conversations.models import Reply

    replies = Reply.objects.filter(message__conversation=person.conversation)
    message = replies.order_by("-pk").values_list("message_id", flat=True)[0]
    return reverse("conversations:stop", args=[person.conversation, message])


async def _wait_until_stopped(person: Person) -> None:
    from conversations.models import Reply

    open_ones = Reply.objects.open().filter(message__conversation=person.conversation)
    while await sync_to_async(open_ones.exists)():
        await asyncio.sleep(0.02)


async def measure(times: int, directory: Path) -> dict[str, float]:
    from django.db import connections

    from tests.site import Site

    model = EndlessModel()
    server = await asyncio.start_server(model, "127.0.0.1", 0)
    llm = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    site = Site(
        directory, chat_backend="", LOG_LEVEL="WARNING", LLM_BASE_URL=llm, LLM_MODEL="endless"
    )
    async with server:
        await asyncio.to_thread(site.start_web)
        await asyncio.to_thread(site.wait_until_ready)
        try:
            waiting = await sync_to_async(people)(site.url, times)
            queued = [await stop_while_it_waits(person) for person in waiting]
            await asyncio.to_thread(site.start_worker)
            person, *_ = await sync_to_async(people)(site.url, 1)
            await stop_while_it_streams(person, model)  # the worker starts
            asked_early = model.calls - 1
            pairs = [await stop_while_it_streams(person, model) for _ in range(times)]
        finally:
            await asyncio.to_thread(site.__exit__, None, None, None)
            await sync_to_async(connections.close_all)()
    return {
        **figures("queued_ack", queued),
        **figures("ack", [pair[0] for pair in pairs]),
        **figures("provider", [pair[1] for pair in pairs]),
        "asked_although_stopped": asked_early,
    }


def figures(prefix: str, times: list[float]) -> dict[str, float]:
    milliseconds = sorted(1000 * seconds for seconds in times)
    return {
        f"{prefix}_p50_ms": round(statistics.median(milliseconds), 1),
        f"{prefix}_p99_ms": round(milliseconds[int(len(milliseconds) * 0.99) - 1], 1),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="stop")
    parser.add_argument("--times", type=int, default=60)
    times = parser.parse_args(arguments).times
    with test_database(), tempfile.TemporaryDirectory() as directory:
        found = asyncio.run(measure(times, Path(directory)))
    for name, value in found.items():
        print(f"{name:24} {value:10}")
    print(json.dumps({"name": "stop", "figures": {"times": times, **found}, "ratios": {}}))
