"""The whole site for half an hour at 70 % of what it can do: whether anything that it holds grows.

python -m tests.benchmarks soak [--minutes 30] [--share 0.7 | --rate ACTS] [--visitors 200] [--looks FILE]

Of 10 acts 6 open a conversation, 2 the list, 1 searches, and 1 opens a stream, asks something and reads the
answer to its end. The capacity is the acts a second that 16 visitors get who never pause; then acts begin
at `--share` of that rate, or `--rate` a second, whether or not the last ones have ended. Every ten seconds memory, descriptors,
threads and connections of the web process, the worker, PostgreSQL and both Redis are looked at. Before all
that everybody asks at once, so that pools of threads and connections, which only ever grow to their bound,
stand there already. The first third is warming up; through the rest of it goes a line. Memory may rise by 2 % of itself, a count by 5 %
of itself or by 2: what rises more is said to grow. Redis' own memory is shown, and has no verdict: its
limit is the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.holding import Holding, Trend
from tests.benchmarks.servers import test_database
from tests.benchmarks.visitors import Crowd, Seen, visitors

ENVIRONMENT = {
    "LOG_LEVEL": "ERROR",
    "ALERTS_ENABLED": "on",
    "DJANGO_SETTINGS_MODULE": "tests.benchmarks.soak_settings",
}
ABREAST = 16
MOST_OPEN = 400  # acts of the generator at once
BETWEEN = 10.0  # seconds from look to look
WARM_UP = 1 / 3
SHOWN = ("web_mb", "web_descriptors", "worker_mb", "worker_descriptors", "database_connections")


async def capacity(crowd: Crowd, seconds: float) -> float:
    """Acts a second that ABREAST visitors get who never pause."""
    seen, end = Seen(), time.monotonic() + seconds

    async def keep_acting() -> None:
        while time.monotonic() < end:
            await crowd.act(seen)

    await asyncio.gather(*(keep_acting() for _ in range(ABREAST)))
    return seen.well / seconds


async def at_rate(crowd: Crowd, rate: float, seconds: float, seen: Seen) -> None:
    """Begins `rate` acts a second. An act for which the generator has no room counts as late."""
    tasks, begun = set[asyncio.Task[None]](), time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        if len(tasks) >= MOST_OPEN:
            seen.outcomes["late"] += 1
            continue
        task = asyncio.create_task(crowd.act(seen))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks)


async def watch(
    look: Callable[[], dict[str, float]], work: Awaitable[None]
) -> list[tuple[float, dict[str, float]]]:
    """Looks every BETWEEN seconds until the work is done: pairs of seconds and what was seen."""
    begun, found = time.monotonic(), []
    working = asyncio.ensure_future(work)
    while not working.done():
        seen = await asyncio.to_thread(look)
        found.append((time.monotonic() - begun, seen))
        if len(found) % 6 == 1:
            print(f"{found[-1][0] / 60:5.1f} min ", _line(seen), flush=True)
        await asyncio.wait({working}, timeout=BETWEEN)
    await working
    return found


def _line(seen: dict[str, float]) -> str:
    return "  ".join(f"{name} {seen[name]:.1f}" for name in SHOWN)


async def acted(crowd: Crowd, count: int, seen: Seen) -> None:
    """So many acts by ABREAST visitors, who leave afterwards."""
    left = iter(range(count))

    async def keep_acting() -> None:
        for _ in left:
            await crowd.act(seen)

    await asyncio.gather(*(keep_acting() for _ in range(ABREAST)))
    crowd.close()


def at_rest(holding: Holding, seconds: float = 1.5) -> dict[str, float]:
    """What is held once the last visitors have been gone for a moment."""
    time.sleep(seconds)
    return holding.now()


async def soaked(site: Any, people: list[Any], options: argparse.Namespace) -> dict[str, Any]:
    crowd, seen = Crowd(site.port, people), Seen()
    with Holding(site) as holding:
        await crowd.everybody_asks()
        await capacity(crowd, 5)
        most = await capacity(crowd, 10)
        print(f"capacity {most:.1f} acts a second", flush=True)
        rate = options.rate or options.share * most
        looks = await watch(holding.now, at_rate(crowd, rate, options.minutes * 60, seen))
        crowd.close()
    warm = looks[int(len(looks) * WARM_UP) :]
    trends = {name: Trend.of([(at, held[name]) for at, held in warm]) for name in warm[0][1]}
    return {"capacity": most, "rate": rate, "seen": seen, "trends": trends, "looks": looks}


def is_flat(name: str, trend: Trend) -> bool:
    if name.endswith("_mb"):
        return bool(name in {"cache_mb", "queue_mb"} or trend.share <= 0.02)
    return bool(trend.grown <= max(2, 0.05 * trend.first))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--share", type=float, default=0.7)
    parser.add_argument("--rate", type=float, default=0, help="acts a second, whatever is possible")
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--looks", type=Path, help="write all that was seen there, as JSON")
    options = parser.parse_args(arguments)
    if options.minutes < 1:
        parser.error("--minutes must be at least 1: a line wants more than a few looks.")
    random.seed(3)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        from tests.site import Site

        people = visitors(options.visitors)
        with Site(Path(directory), **ENVIRONMENT) as site:
            found = asyncio.run(soaked(site, people, options))
    if options.looks:
        options.looks.write_text(json.dumps(found["looks"]))
    report(found, options.minutes)


def report(found: dict[str, Any], minutes: float) -> None:
    seen, trends = found["seen"], found["trends"]
    print(f"{'':24} {'at first':>10} {'an hour':>10} {'grown':>8}")
    for name, trend in trends.items():
        verdict = "flat" if is_flat(name, trend) else "GROWS"
        print(f"{name:24} {trend.first:10.1f} {trend.an_hour:+10.2f} {trend.share:+8.2%} {verdict}")
    growing = [name for name, trend in trends.items() if not is_flat(name, trend)]
    print("Verdict:", f"what grows is {', '.join(growing)}." if growing else "nothing grows.")
    for what, count in seen.outcomes.most_common():
        print(f"  {what}: {count:,}")
    figures = {
        "minutes": minutes,
        "capacity_a_second": round(found["capacity"], 1),
        "acts_a_second": round(found["rate"], 1),
        "acts": seen.outcomes.total(),
        "failed": seen.failed,
        "shed": seen.shed,
        **{f"{act}_p95_ms": seen.p95(act) for act in ("page", "list", "search", "ask")},
        **{name: round(trend.first, 1) for name, trend in trends.items()},
        **{f"{name}_an_hour": round(trend.an_hour, 2) for name, trend in trends.items()},
        "growing": len(growing),
        "growing_counts": sum(not name.endswith("_mb") for name in growing),
    }
    memory = max(trends[name].share for name in ("web_mb", "worker_mb"))
    share = round(found["rate"] / found["capacity"], 2)
    ratios = {"share": share, "memory_grown": round(memory, 4)}
    print(json.dumps({"name": "soak", "figures": figures, "ratios": ratios}))
