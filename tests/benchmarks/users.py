"""A thousand people at once on one web process and one worker: real sockets, pages, questions, streams.

python -m tests.benchmarks users [--users 1000] [--seconds 60]

Everybody has a session, a conversation and an open event stream; between two acts they think for 10 to
40 seconds. Of 10 acts 6 open the conversation, 2 the list, and 2 ask something and wait for the answer's
first words. What is not a 2xx, and an answer whose first words take over 20 seconds, is an error. The
people live on the same two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx2

from tests.benchmarks.chat import Person, people
from tests.benchmarks.servers import test_database

THINK = (10.0, 40.0)
ACTS = ["page", "page", "page", "page", "page", "page", "list", "list", "ask", "ask"]
RAMP = 15.0  # seconds in which all of them arrive


class Crowd:
    """What all of them did, how long it took, and what went wrong."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = {"page": [], "list": [], "ask": []}
        self.errors: Counter[str] = Counter()

    async def live(self, person: Person, client: httpx2.AsyncClient, end: float) -> None:
        await asyncio.sleep(random.uniform(0, RAMP))
        following = asyncio.create_task(self._follow(person, client))
        while time.monotonic() < end:
            await asyncio.sleep(random.uniform(*THINK))
            act = random.choice(ACTS)
            begun = time.perf_counter()
            try:
                await self._do(act, person, client)
            except (httpx2.HTTPError, TimeoutError) as error:
                self.errors[f"{act}: {type(error).__name__}"] += 1
            else:
                self.took[act].append(time.perf_counter() - begun)
        following.cancel()

    async def _do(self, act: str, person: Person, client: httpx2.AsyncClient) -> None:
        if act == "ask":
            await person.ask(client)
            return
        path = f"/c/{person.conversation}/" if act == "page" else "/"
        response = await client.get(f"{person.url}{path}", headers=person.headers)
        response.raise_for_status()

    async def _follow(self, person: Person, client: httpx2.AsyncClient) -> None:
        try:
            await person.follow(client)
            self.errors["stream: ended"] += 1
        except httpx2.HTTPError as error:
            self.errors[f"stream: {type(error).__name__}"] += 1


async def gather(persons: list[Person], seconds: float) -> Crowd:
    crowd = Crowd()
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=20) as client:
        end = time.monotonic() + RAMP + seconds
        await asyncio.gather(*(crowd.live(person, client, end) for person in persons))
    return crowd


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="users")
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args(arguments)
    random.seed(11)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        from tests.site import Site

        with Site(Path(directory), LOG_LEVEL="ERROR") as site:
            persons = people(site.url, options.users)
            crowd = asyncio.run(gather(persons, options.seconds))
    figures: dict[str, float] = {"users": options.users}
    for act, took in crowd.took.items():
        ordered = sorted(took)
        figures[f"{act}s"] = len(ordered)
        figures[f"{act}_p50_ms"] = round(1000 * ordered[len(ordered) // 2], 1)
        figures[f"{act}_p99_ms"] = round(1000 * ordered[int(len(ordered) * 0.99)], 1)
    figures["errors"] = sum(crowd.errors.values())
    for name, value in figures.items():
        print(f"{name:14} {value}")
    for name, count in crowd.errors.most_common(5):
        print(f"  {name}: {count}")
    share = figures["errors"] / max(1, sum(len(took) for took in crowd.took.values()))
    print(json.dumps({"name": "users", "figures": figures, "ratios": {"errors_an_act": share}}))
