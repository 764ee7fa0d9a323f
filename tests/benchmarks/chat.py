"""The platform's own share of the time to first token.

A chat backend that answers at once stands in for the model, so what is left is ours: the request,
the transaction, the queue, the worker, the event stream, the browser's connection. Timed from the
first byte of the POST to the arrival of the first `text` event on a stream that is open already;
over loopback, with the client on the same cores.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.benchmarks.servers import test_database

USERS = 100
ALONE = 60  # messages of the single user
SECONDS = 25.0  # of the crowd
THINK = (2.0, 6.0)  # seconds between an answer and the next message
TOKEN = "c" * 32


@dataclass
class Person:
    """One signed-in user with one conversation and its stream."""

    session: str
    conversation: uuid.UUID
    url: str
    first_text: asyncio.Event = field(default_factory=asyncio.Event)
    times: list[float] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Cookie": f"sessionid={self.session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "HX-Request": "true",
        }

    async def follow(self, client: httpx2.AsyncClient) -> None:
        url = f"{self.url}/c/{self.conversation}/events/"
        async with client.stream("GET", url, headers=self.headers, timeout=None) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line == "event: text":
                    self.first_text.set()

    async def ask(self, client: httpx2.AsyncClient) -> None:
        self.first_text.clear()
        data = {"text": "say Here it is.", "key": str(uuid.uuid4())}
        begun = time.perf_counter()
        posted = asyncio.create_task(
            client.post(
                f"{self.url}/c/{self.conversation}/messages/", data=data, headers=self.headers
            )
        )
        await asyncio.wait_for(self.first_text.wait(), 20)
        self.times.append(time.perf_counter() - begun)
        response = await posted
        response.raise_for_status()


def people(url: str, count: int) -> list[Person]:
    from django.test import Client

    from tests.factories import ConversationFactory

    found = []
    for _ in range(count):
        conversation = ConversationFactory()
        client = Client()
        client.force_login(conversation.user)
        found.append(Person(client.cookies["sessionid"].value, conversation.pk, url))
    return found


async def alone(person: Person) -> list[float]:
    async with httpx2.AsyncClient() as client:
        stream = asyncio.create_task(person.follow(client))
        await asyncio.sleep(0.5)
        for _ in range(ALONE):
            await person.ask(client)
            await asyncio.sleep(0.12)  # the answer's last frames and its row
        stream.cancel()
    return person.times[5:]


async def crowd(persons: list[Person]) -> list[float]:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(limits=limits) as client:
        streams = [asyncio.create_task(person.follow(client)) for person in persons]
        await asyncio.sleep(2)
        end = time.monotonic() + SECONDS

        async def chat(person: Person) -> None:
            await asyncio.sleep(random.uniform(0, THINK[1]))
            while time.monotonic() < end:
                await person.ask(client)
                await asyncio.sleep(random.uniform(*THINK))

        await asyncio.gather(*(chat(person) for person in persons))
        for stream in streams:
            stream.cancel()
    return [seconds for person in persons for seconds in person.times]


def figures(times: list[float], prefix: str) -> dict[str, float]:
    milliseconds = sorted(1000 * seconds for seconds in times)
    return {
        f"{prefix}_messages": len(milliseconds),
        f"{prefix}_p50_ms": round(statistics.median(milliseconds), 1),
        f"{prefix}_p99_ms": round(milliseconds[int(len(milliseconds) * 0.99) - 1], 1),
    }


def main(_arguments: list[str]) -> None:
    random.seed(7)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        from tests.site import Site

        with Site(Path(directory), LOG_LEVEL="WARNING") as site:
            one, *_ = people(site.url, 1)
            found = figures(asyncio.run(alone(one)), "alone")
            found |= figures(asyncio.run(crowd(people(site.url, USERS))), "crowd")
    for name, value in found.items():
        print(f"{name:16} {value:10}")
    ratios = {
        "crowd_to_alone_p50": round(found["crowd_p50_ms"] / found["alone_p50_ms"], 2),
        "crowd_to_alone_p99": round(found["crowd_p99_ms"] / found["alone_p99_ms"], 2),
    }
    print(json.dumps({"name": "chat", "figures": found, "ratios": ratios}))
