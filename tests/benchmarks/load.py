"""Soak and overload of the running site: flat memory at 70 % of what it can do, shedding at three times that.

python -m tests.benchmarks load [--soak 60] [--overload 15] [--json]

First the capacity is measured (as many conversation pages a second as 16 connections get), then 70 % of it
is asked for `--soak` seconds (30 minutes: --soak 1800), then three times as much for `--overload` seconds,
then at once one page at a time until they are quick again. Requests are sent at their time whether or not the
last ones have been answered, as people do. Memory, descriptors and database connections are those of the
web server's processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.connections import Connections
from tests.benchmarks.servers import test_database

ABREAST = 16
GZIP = "Accept-Encoding: gzip\r\n"  # as every browser
MOST_OPEN = 1500  # connections of the generator
CALM_MS = 500.0  # a page that is quick again


@dataclass
class Outcome:
    """Answers by status (0: none came), and the milliseconds of those that were 200."""

    statuses: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    without_retry_after: int = 0

    @property
    def p95(self) -> float:
        ordered = sorted(self.took)
        return round(ordered[int(len(ordered) * 0.95)], 1) if ordered else 0.0


class Client:
    """Asks for one path, over connections that stay open."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self._connections = Connections(port)
        self._path, self._cookie = path, cookie

    async def arrive(self) -> None:
        """One after the other: of connections that come at once, a process may take all."""
        await self._connections.opened(ABREAST)

    async def ask(self, outcome: Outcome) -> None:
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(20):
                answer = await self._connections.exchange(self._path, self._cookie, headers=GZIP)
        except (OSError, TimeoutError, EOFError, ValueError):
            outcome.statuses[0] += 1
            return
        outcome.statuses[answer.status] += 1
        if answer.status == 200:
            outcome.took.append(1000 * (time.perf_counter() - begun))
        elif answer.status in {429, 503} and not answer.says_when_to_come_back:
            outcome.without_retry_after += 1

    def close(self) -> None:
        self._connections.close()


async def capacity(client: Client, seconds: float) -> float:
    """Pages a second that ABREAST askers get."""
    outcome, end = Outcome(), time.monotonic() + seconds

    async def keep_asking() -> None:
        while time.monotonic() < end:
            await client.ask(outcome)

    await asyncio.gather(*(keep_asking() for _ in range(ABREAST)))
    return outcome.statuses[200] / seconds


async def at_rate(client: Client, rate: float, seconds: float) -> Outcome:
    """Sends `rate` requests a second, whatever comes back, and waits for the last answer."""
    outcome = Outcome()
    await answered(await sent(client, rate, seconds, outcome))
    return outcome


async def sent(
    client: Client, rate: float, seconds: float, outcome: Outcome
) -> set[asyncio.Task[None]]:
    """The requests that are still unanswered when the last one has been sent."""
    tasks = set[asyncio.Task[None]]()
    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        if len(tasks) >= MOST_OPEN:
            outcome.statuses[0] += 1
            continue
        task = asyncio.create_task(client.ask(outcome))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    return tasks


async def answered(tasks: set[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks)


async def seconds_until_calm(client: Client) -> float:
    """Until three pages in a row are quick; asked as soon as the load ends, behind all that waits."""
    begun, calm = time.monotonic(), 0
    while calm < 3 and time.monotonic() - begun < 60:
        outcome = Outcome()
        await client.ask(outcome)
        calm = calm + 1 if outcome.took and outcome.took[0] < CALM_MS else 0
    return round(time.monotonic() - begun, 2)


def held(site: Any) -> dict[str, float]:
    """What the web server's processes hold now."""
    import psutil
    from django.db import connection

    parent = psutil.Process(site.web.pid)
    processes = [parent, *parent.children()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        connections = cursor.fetchone()[0]
    connection.close()
    with suppress(psutil.NoSuchProcess):
        return {
            "memory_mb": sum(process.memory_info().rss for process in processes) / 2**20,
            "descriptors": sum(process.num_fds() for process in processes),
            "database_connections": connections,
        }
    raise SystemExit("The web server has ended.")


def run(
    site: Any, path: str, cookie: str, *, soak: float, overload: float, measuring: float = 5.0
) -> dict[str, float]:
    """All phases, of so many seconds each."""
    client = Client(site.port, path, cookie)

    async def first() -> float:
        await capacity(client, measuring / 2)
        return await capacity(client, measuring)

    async def at_rest() -> dict[str, float]:
        client.close()
        await asyncio.sleep(1)
        return await asyncio.to_thread(held, site)

    async def one_loop() -> dict[str, float]:
        rate = await first()
        await at_rate(client, 0.7 * rate, min(10.0, soak / 4))
        before = await at_rest()
        soaked = await at_rate(client, 0.7 * rate, soak)
        after = await at_rest()
        shed = Outcome()
        waiting = await sent(client, 3 * rate, overload, shed)
        calm = await seconds_until_calm(client)
        await answered(waiting)
        client.close()
        return {
            "capacity_a_second": round(rate, 1),
            "soak_requests": soaked.statuses.total(),
            "soak_errors": soaked.statuses.total() - soaked.statuses[200],
            "soak_p95_ms": soaked.p95,
            **{f"{name}_growth": round(after[name] / before[name] - 1, 4) for name in before},
            "memory_mb": round(after["memory_mb"], 1),
            "overload_answered": shed.statuses[200],
            "overload_shed": shed.statuses[503] + shed.statuses[429],
            "overload_lost": shed.statuses[0],
            "overload_other": sum(
                count for status, count in shed.statuses.items() if status not in {0, 200, 429, 503}
            ),
            "overload_p95_ms": shed.p95,
            "overload_without_retry_after": shed.without_retry_after,
            "seconds_until_calm": calm,
        }

    return asyncio.run(one_loop())


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="load")
    parser.add_argument("--soak", type=float, default=60)
    parser.add_argument("--overload", type=float, default=15)
    options = parser.parse_args(arguments)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        from django.conf import settings

        from tests.benchmarks.pages import seeded
        from tests.site import Site

        user, conversations = seeded()
        from django.test import Client as Browser

        browser = Browser()
        browser.force_login(user)
        cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies['sessionid'].value}"
        path = f"/c/{conversations['short'].pk}/"
        with Site(Path(directory), LOG_LEVEL="ERROR") as site:
            figures = run(site, path, cookie, soak=options.soak, overload=options.overload)
    for name, value in figures.items():
        print(f"{name:34} {value:12}")
    shed = figures["overload_shed"] + figures["overload_answered"]
    ratios = {
        "memory_growth": figures["memory_mb_growth"],
        "overload_told": round(shed / (shed + figures["overload_lost"]), 4),
    }
    print(json.dumps({"name": "load", "figures": figures, "ratios": ratios}))
