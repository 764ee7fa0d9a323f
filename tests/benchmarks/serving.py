"""Who serves the pages best: interface, front, processes, threads and database connections, on these cores.

python -m tests.benchmarks serving [--seconds 2] [--rounds 3]

Each way of serving answers the same page to 16 connections that stay open; the ways take turns. `asgi` is the
site's own root (pages hop to a thread), `wsgi` is granian without it, which cannot serve streams. A front
splits requests by path between a wsgi and an asgi service of their own: `nginx`, or `python`, an ASGI app
that passes requests on. The page is a conversation of 50 messages from the cache; the ways with a pool
get a page that asks the database; then the root and granian's WSGI alone answer each kind of page. Clients, PostgreSQL and Valkey are on the same cores, so requests a second
are below what a machine of its own would do; CPU a request, the fronts' included, is what the choice costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.servers import test_database
from tests.benchmarks.serving_ways import Server, Way
from tests.nginx import NGINX

WAYS = {
    "asgi, 1 process, 1 thread": Way("asgi", 1, 1),
    "asgi, 1 process, 2 threads": Way("asgi", 1, 2),
    "asgi, 1 process, 4 threads": Way("asgi", 1, 4),
    "asgi, 1 process, 8 threads": Way("asgi", 1, 8),
    "asgi, 2 processes, 2 threads": Way("asgi", 2, 2),
    "asgi, 2 processes, 4 threads": Way("asgi", 2, 4),
    "wsgi, 1 process, 4 threads": Way("wsgi", 1, 4),
    "wsgi, 2 processes, 2 threads": Way("wsgi", 2, 2),
    "nginx, asgi, 1 process, 4 threads": Way("asgi", 1, 4, "nginx"),
    "nginx, wsgi, 1 process, 4 threads": Way("wsgi", 1, 4, "nginx"),
    "python, wsgi, 1 process, 4 threads": Way("wsgi", 1, 4, "python"),
    "asgi, 4 threads, pool of 1": Way("asgi", 1, 4, pool=1),
    "asgi, 4 threads, pool of 2": Way("asgi", 1, 4, pool=2),
    "asgi, 4 threads, pool of 4": Way("asgi", 1, 4, pool=4),
    "asgi, 4 threads, pool of 6": Way("asgi", 1, 4, pool=6),
}
SHIPPED = {False: "asgi, 1 process, 4 threads", True: "asgi, 4 threads, pool of 6"}
MEASURED = ("pages_a_second", "cpu_us", "memory_mb")
NOT = {"not_found", "unchanged_list", "unchanged_conversation"}  # other answers than 200
Row = tuple[float, float, float]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="serving")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        site = Seeded()
        found = measure(site, Path(directory), options.seconds, options.rounds)
        pages = each_page(site, Path(directory), options.seconds / 2, options.rounds)
    print(f"{'way':36} {'pages/s':>8} {'CPU us':>8} {'MB':>6}")
    for name, row in (found | pages).items():
        print(f"{name:36} {row['pages_a_second']:8} {row['cpu_us']:8} {row['memory_mb']:6}")
    print(json.dumps({"name": "serving", "figures": found | pages, "ratios": ratios(found)}))


def ratios(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Each way to the shipped one that answers the same page."""
    return {
        f"{name}: {what} to the shipped": round(
            row[what] / found[SHIPPED[bool(WAYS[name].pool)]][what], 2
        )
        for name, row in found.items()
        for what in ("pages_a_second", "cpu_us")
    }


class Seeded:
    """Somebody who is signed in and has conversations."""

    def __init__(self) -> None:
        from tests.benchmarks.pages import pages, seeded, signed_in

        user, conversations = seeded()
        self.cookie = signed_in(user)
        self.pages = {name: path for name, path in pages(conversations).items() if name not in NOT}

    def asked_by(self, page: str) -> str:
        return "" if page in {"landing", "login"} else self.cookie


def measure(
    site: Seeded, directory: Path, seconds: float, rounds: int
) -> dict[str, dict[str, float]]:
    """Every way, with the page that it is asked for."""
    found: dict[str, list[Row]] = {}
    for number in range(rounds):
        for name, way in WAYS.items():
            if way.front == "nginx" and NGINX is None:
                continue
            page = "rename_form" if way.pool else "conversation_50"
            with ExitStack() as stack:
                server = Server(directory / f"{number} {name}", way)
                stack.callback(server.stop)
                found.setdefault(name, []).append(_asked(server, site, page, seconds))
    return _medians(found)


def each_page(
    site: Seeded, directory: Path, seconds: float, rounds: int
) -> dict[str, dict[str, float]]:
    """Every kind of page by the root and by granian's WSGI, which take turns at each."""
    found: dict[str, list[Row]] = {}
    with ExitStack() as stack:
        servers = {}
        for interface in ("asgi", "wsgi"):
            servers[interface] = Server(directory / interface, Way(interface, 1, 4))
            stack.callback(servers[interface].stop)
        for page in site.pages:
            for _ in range(rounds):
                for interface, server in servers.items():
                    row = _asked(server, site, page, seconds)
                    found.setdefault(f"{page}, {interface}", []).append(row)
    return _medians(found)


def _medians(found: dict[str, list[Row]]) -> dict[str, dict[str, float]]:
    return {
        name: {
            what: round(statistics.median(values), 1)
            for what, values in zip(MEASURED, zip(*rows, strict=True), strict=True)
        }
        for name, rows in found.items()
    }


def _asked(server: Server, site: Seeded, page: str, seconds: float) -> Row:
    return asyncio.run(asked(server, site.pages[page], site.asked_by(page), seconds))


async def asked(server: Server, path: str, cookie: str, seconds: float) -> Row:
    """What is MEASURED, once the caches are warm."""
    from tests.benchmarks.load import Client, capacity
    from tests.benchmarks.start import answered

    await asyncio.to_thread(answered, server.port, "/health/live")
    client = Client(server.port, path, cookie)
    await client.arrive()
    await capacity(client, 0.5)
    before = server.cpu()
    rate = await capacity(client, seconds)
    used = server.cpu() - before
    client.close()
    return rate, 1e6 * used / (rate * seconds), server.memory()
