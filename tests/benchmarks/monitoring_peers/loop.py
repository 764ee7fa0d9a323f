"""One contender, told on stdin what to do: a line "cpu PAGE N", "settled PAGE" or "calls PAGE".

Microseconds of CPU a request: of the whole process, since what a thread does behind the requests counts,
too, and of the thread that answers. `small` is
an async view under Django's ASGI handler, the others are pages under its WSGI handler.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "project"

import django

django.setup()

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection

BEHIND = 1.2  # seconds in which threads behind the requests catch up


def prepare() -> None:
    if os.environ["CONTENDER"] == "opentelemetry":
        _open_telemetry()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_item (id bigint PRIMARY KEY, name varchar(50) NOT NULL)")
        cursor.execute(
            "INSERT INTO bench_item SELECT n, 'item ' || n FROM generate_series(1, 100) n"
        )
        cursor.execute("ANALYZE bench_item")


def _open_telemetry() -> None:
    from opentelemetry import trace
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> Any:
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument()
    PsycopgInstrumentor().instrument(skip_dep_check=True)


def _environ(page: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/{page}/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def pages() -> Callable[[str], None]:
    handler = WSGIHandler()

    def ask(page: str) -> None:
        started: list[str] = []
        response: Any = handler(_environ(page), lambda status, headers: started.append(status))
        body = b"".join(response)
        response.close()
        if started[0] != "200 OK" or not body:
            raise RuntimeError(f"{page}: {started[0]}")

    return ask


async def _ask_small(handler: Any, times: int) -> None:
    scope = {
        "type": "http", "method": "GET", "path": "/small/", "raw_path": b"/small/",
        "query_string": b"", "headers": [(b"host", b"localhost")], "http_version": "1.1",
        "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    for _ in range(times):
        sent: list[dict[str, Any]] = []
        received = iter([{"type": "http.request", "body": b"", "more_body": False}])
        gone = asyncio.Event()

        async def receive(received: Any = received, gone: asyncio.Event = gone) -> dict[str, Any]:
            for message in received:
                return dict(message)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any], sent: list[Any] = sent) -> None:
            sent.append(message)

        await handler(dict(scope), receive, send)
        if sent[0]["status"] != 200:
            raise RuntimeError(f"small: {sent[0]['status']}")


def _calls(run: Callable[[], object]) -> int:
    count = 0

    def profile(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def _settled(run: Callable[[], object]) -> float:
    """CPU of the process a run, with all that threads did for it until a second later."""
    time.sleep(BEHIND)
    began, until, times = time.process_time(), time.monotonic() + 1, 0
    while time.monotonic() < until:
        run()
        times += 1
    time.sleep(BEHIND)
    return (time.process_time() - began) / times * 1e6


def main() -> None:
    prepare()
    ask, handler, loop = pages(), ASGIHandler(), asyncio.new_event_loop()

    def run(page: str, times: int) -> None:
        if page == "small":
            loop.run_until_complete(_ask_small(handler, times))
            return
        for _ in range(times):
            ask(page)

    for page in ("none", "five", "fifty", "small"):
        run(page, 20)
    print("ready", flush=True)
    for line in sys.stdin:
        what, page, times = [*line.split(), "1"][:3]
        if what == "cpu":
            began, mine = time.process_time(), time.thread_time()
            run(page, int(times))
            took, mine = time.process_time() - began, time.thread_time() - mine
            print(took / int(times) * 1e6, mine / int(times) * 1e6, flush=True)
        elif what == "settled":
            print(_settled(lambda page=page: run(page, 5)) / 5, flush=True)
        else:
            run(page, 3)
            print(min(_calls(lambda page=page: run(page, 1)) for _ in range(5)), flush=True)


main()
