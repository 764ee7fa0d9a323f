"""Many open event streams in one web process, fed as a worker feeds them.

Three processes: the site's web server, a writer that makes a token for every stream ten times a
second through the worker's own FrameWriter, and this one, which holds a socket for each stream.
A frame's delay is counted from the time in its id, which Redis gives it when it is written, to its
arrival here; a token's from its making, so it has the writer's tick of 100 ms in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.servers import test_database

USERS = 20
SECONDS = 15
RATE = 10.0  # tokens a second and stream


class Watcher(asyncio.Protocol):
    """One browser: what came, when, and whether the text is whole."""

    def __init__(self, request: bytes, open_streams: list[int]) -> None:
        self._request = request
        self._open = open_streams
        self._rest = b""
        self.frame_delays: list[float] = []
        self.token_delays: list[float] = []
        self.tokens: list[int] = []
        self.started = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self.started:
            self.started = True
            self._open[0] += 1
        blocks = (self._rest + data).split(b"\n\n")
        self._rest = blocks.pop()
        for block in blocks:
            if b"event: text" in block:
                self._take(block, now)

    def _take(self, block: bytes, now: float) -> None:
        event_id = block[block.index(b"id: ") + 4 : block.index(b"-", block.index(b"id: "))]
        self.frame_delays.append(now - int(event_id) / 1000)
        body = block[block.index(b"data: ") + 6 :]
        for token in json.loads(body.splitlines()[0])["t"].split():
            number, _, made = token.partition("@")
            self.tokens.append(int(number))
            self.token_delays.append(now - float(made))


def sessions_and_conversations(count: int) -> list[tuple[str, str]]:
    from django.test import Client

    from conversations.models import Conversation
    from tests.factories import UserFactory

    found = []
    for _ in range(USERS):
        user, client = UserFactory(), Client()
        client.force_login(user)
        made = Conversation.objects.bulk_create(
            [Conversation(user=user, title="stream") for _ in range(count // USERS)]
        )
        found += [(client.cookies["sessionid"].value, str(one.pk)) for one in made]
    return found


async def watch(port: int, places: list[tuple[str, str]], directory: Path) -> list[Watcher]:
    loop, opened = asyncio.get_running_loop(), [0]
    watchers = []
    for session, conversation in places:
        request = (
            f"GET /c/{conversation}/events/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Cookie: sessionid={session}\r\nAccept: text/event-stream\r\n\r\n"
        ).encode()
        watcher = Watcher(request, opened)
        await loop.create_connection(lambda watcher=watcher: watcher, "127.0.0.1", port)
        watchers.append(watcher)
    begun = time.monotonic()
    while opened[0] < len(places) and time.monotonic() - begun < 60:
        await asyncio.sleep(0.05)
    if opened[0] < len(places):
        raise SystemExit(f"Only {opened[0]} of {len(places)} streams opened.")
    await asyncio.sleep(1)
    (directory / "conversations").write_text("\n".join(place for _, place in places))
    (directory / "go").touch()
    end = time.monotonic() + SECONDS + 60
    while not (directory / "done").exists() and time.monotonic() < end:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)
    for watcher in watchers:
        watcher.transport.close()
    await asyncio.sleep(1)
    return watchers


async def write(directory: Path, rate: float) -> None:
    """The writer's process: a worker's event loop with a reply for each stream."""
    from conversations.streams.reply import open_stream

    while not (directory / "go").exists():
        await asyncio.sleep(0.02)
    places = (directory / "conversations").read_text().split()

    async def reply(number: int, place: str) -> None:
        async with open_stream(place, number, 1, lambda: None) as (stream, _writer):  # type: ignore[arg-type]
            await asyncio.sleep(number / len(places) / rate)
            due = time.perf_counter()
            for token in range(int(SECONDS * rate)):
                stream.text(f"{token}@{time.time():.4f} ")
                due += 1 / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

    await asyncio.gather(*(reply(number, place) for number, place in enumerate(places)))
    (directory / "done").touch()


def run(count: int, rate: float) -> dict[str, float]:
    import psutil
    import redis
    from django.conf import settings
    from django.db import connection

    from tests.site import Site

    places = sessions_and_conversations(count)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        site = Site(directory, LOG_LEVEL="WARNING", STREAMS_PER_USER=str(count))
        site.start_web()
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks", "streams", "write", name, str(rate)],
            env=site.environment,
        )
        try:
            site.wait_until_ready()
            web = max(psutil.Process(site.web.pid).children(), key=lambda p: p.memory_info().rss)  # type: ignore[union-attr]
            before = web.memory_info().rss
            time.sleep(1)
            cpu, begun = sum(web.cpu_times()[:2]), time.monotonic()
            watchers = asyncio.run(watch(site.port, places, directory))
            cpu = sum(web.cpu_times()[:2]) - cpu
            after, threads = web.memory_info().rss, web.num_threads()
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                )
                databases = cursor.fetchone()[0] - 1
            with redis.from_url(settings.QUEUE_URL) as client:
                readers = len([c for c in client.client_list() if c["sub"] != "0"])
            del begun
        finally:
            writer.kill()
            writer.wait()
            site.__exit__(None, None, None)
    return _figures(watchers, cpu, (after - before) / count, threads, databases, readers, rate)


def _figures(
    watchers: list[Watcher],
    cpu: float,
    memory: float,
    threads: int,
    databases: int,
    readers: int,
    rate: float,
) -> dict[str, float]:
    frames = sorted(1000 * d for watcher in watchers for d in watcher.frame_delays)
    tokens = sorted(1000 * d for watcher in watchers for d in watcher.token_delays)
    whole = list(range(int(SECONDS * rate)))
    broken = sum(watcher.tokens != whole for watcher in watchers)

    def quantile(values: list[float], q: float) -> float:
        return round(values[int(len(values) * q) - 1], 1)

    return {
        "streams": len(watchers),
        "frames": len(frames),
        "streams_with_lost_or_doubled_tokens": broken,
        "frame_p50_ms": round(statistics.median(frames), 1),
        "frame_p99_ms": quantile(frames, 0.99),
        "token_p50_ms": round(statistics.median(tokens), 1),
        "token_p99_ms": quantile(tokens, 0.99),
        "web_cpu_us_a_frame": round(1e6 * cpu / len(frames), 1),
        "web_kb_a_stream": round(memory / 1024, 1),
        "web_threads": threads,
        "database_connections": databases,
        "subscriptions_connections": readers,
    }


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["write"]:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
        import django

        django.setup()
        asyncio.run(write(Path(arguments[1]), float(arguments[2])))
        return
    count = int(arguments[0]) if arguments else 1000
    rate = float(arguments[1]) if len(arguments) > 1 else RATE
    with test_database():
        found = run(count, rate)
    for name, value in found.items():
        print(f"{name:38} {value:10}")
    ratios = {"frame_p99_to_p50": round(found["frame_p99_ms"] / max(found["frame_p50_ms"], 0.1), 2)}
    print(json.dumps({"name": "streams", "figures": found, "ratios": ratios}))
