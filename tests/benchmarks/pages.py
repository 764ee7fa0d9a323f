"""What a page costs: CPU and queries of each kind of request, in Django's bare WSGI handler and served.

python -m tests.benchmarks pages [--requests 240] [--rounds 5]

`handler` is the WSGI application called in this process, with every middleware; `served` is the CPU of
the web server's process for the same requests over HTTP on eight connections that stay open. Their ratio
is what serving adds. The pages come from the cache, and the browsers take gzip; `unchanged` ones are answered
304. Requests a second and core are 1 / CPU seconds, and 10,000 a second need so many cores.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.connections import Connections
from tests.benchmarks.servers import test_database

TOKEN = "p" * 32
LONG = 10_000
UNCHANGED = "unchanged_"
ABREAST = 8
GZIP = "gzip, deflate, br, zstd"
ANSWERS = {"200", "304", "404"}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="pages")
    parser.add_argument("--requests", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with test_database():
        found = measure(options.requests, options.rounds)
    print(
        f"{'page':22} {'queries':>7} {'handler us':>10} {'served us':>10} {'ratio':>6} {'r/s/core':>8}"
    )
    for name, row in found.items():
        print(
            f"{name:22} {row['queries']:7} {row['handler_us']:10.0f} {row['served_us']:10.0f} "
            f"{row['served_to_handler']:6.2f} {1e6 / row['served_us']:8.0f}"
        )
    ratios = {name: row["served_to_handler"] for name, row in found.items()}
    ratios["worst_served_to_handler"] = max(
        ratio for name, ratio in ratios.items() if not name.startswith(UNCHANGED)
    )
    for name in ("list", "conversation"):
        page = found["conversation_50" if name == "conversation" else name]
        unchanged = found[f"{UNCHANGED}{name}"]["served_us"]
        ratios[f"{UNCHANGED}{name}_to_the_page"] = round(unchanged / page["served_us"], 2)
    figures = {f"{name}_{key}": value for name, row in found.items() for key, value in row.items()}
    figures["conversation_cores_for_10000_a_second"] = round(
        found["conversation_50"]["served_us"] / 100, 1
    )
    print(json.dumps({"name": "pages", "figures": figures, "ratios": ratios}))


def pages(conversations: dict[str, Any]) -> dict[str, str]:
    """The ten most used requests that read; sending a message is measured by itself."""
    return {
        "help": "/help/",
        "list": "/",
        "conversation_50": f"/c/{conversations['short'].pk}/",
        "conversation_10000": f"/c/{conversations['long'].pk}/",
        "earlier_messages": f"/c/{conversations['long'].pk}/?before={conversations['middle']}",
        "rename_form": f"/c/{conversations['short'].pk}/rename/",
        "help_page": "/help/first-steps/",
        "not_found": "/nowhere/",
        "landing": "/",
        "login": "/accounts/login/",
        # And what a browser that holds the page asks.
        f"{UNCHANGED}list": "/",
        f"{UNCHANGED}conversation": f"/c/{conversations['short'].pk}/",
    }


def measure(requests: int, rounds: int) -> dict[str, dict[str, Any]]:
    from django.core.wsgi import get_wsgi_application
    from django.test.utils import override_settings

    from tests.site import Site

    override_settings(DEBUG=False).enable()
    user, conversations = seeded()
    cookie = signed_in(user)
    handler = get_wsgi_application()
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        settings = "tests.benchmarks.serving_settings"
        site = Site(Path(name), LOG_LEVEL="WARNING", DEBUG="on", DJANGO_SETTINGS_MODULE=settings)
        site.start_web()
        try:
            site.wait_until_ready()
            for page, path in pages(conversations).items():
                who = "" if page in {"landing", "login"} else cookie
                inside, outside = in_process(handler, path, who), over_http(site, path, who)
                if page.startswith(UNCHANGED):
                    # Another process may run other settings, under which its pages have other names.
                    here = etag_of(handler, path, who)
                    inside = in_process(handler, path, who, HTTP_IF_NONE_MATCH=here)
                    outside = over_http(site, path, who, etag(site, path, who))
                inside(), outside(3 * ABREAST)
                queries = len(statements(inside))
                pairs = [(inside_cpu(inside, requests), outside(requests)) for _ in range(rounds)]
                handled = statistics.median(pair[0] for pair in pairs)
                served = statistics.median(pair[1] for pair in pairs)
                found[page] = {
                    "queries": queries,
                    "handler_us": round(handled, 1),
                    "served_us": round(served, 1),
                    "served_to_handler": round(
                        statistics.median(pair[1] / pair[0] for pair in pairs), 2
                    ),
                }
        finally:
            site.__exit__(None, None, None)
    return found


def seeded() -> tuple[Any, dict[str, Any]]:
    from conversations.models import Conversation
    from tests.factories import ConversationFactory, UserFactory

    user = UserFactory()
    Conversation.objects.bulk_create(
        [Conversation(user=user, title=f"Conversation {number}") for number in range(200)]
    )
    found: dict[str, Any] = {}
    for name, length in (("short", 50), ("long", LONG)):
        found[name] = ConversationFactory(user=user, title=name)
        found["middle"] = filled(found[name], length)[length // 2].pk
    return user, found


def filled(conversation: Any, length: int) -> list[Any]:
    """The messages that are written into an empty conversation, with their replies."""
    from conversations.models import Message, Reply, Role, Status

    text = "A paragraph of an answer that is neither long nor short. " * 4
    branch = conversation.shown_branch
    made = Message.objects.bulk_create(
        [
            Message(
                conversation=conversation,
                branch=branch,
                place=place,
                role=Role.ASSISTANT if place % 2 == 0 else Role.USER,
                text=text,
                html=f"<p>{text}</p>",
                renderer=1,
            )
            for place in range(1, length + 1)
        ],
        batch_size=1000,
    )
    Reply.objects.bulk_create(
        [Reply(message=one, status=Status.COMPLETE) for one in made if one.role == Role.ASSISTANT],
        batch_size=1000,
    )
    return made


def signed_in(user: Any) -> str:
    """The cookies of a browser of that user."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={TOKEN}"


def in_process(handler: Any, path: str, cookie: str, **headers: str) -> Callable[[], int]:
    """Asks for the path and returns the answer's bytes; `headers` are named as in the environ."""

    def call() -> int:
        size, status, _ = answered(handler, path, cookie, headers)
        if status[:3] not in ANSWERS:
            raise RuntimeError(f"{path} answered {status}.")
        return size

    return call


def answered(
    handler: Any, path: str, cookie: str, headers: dict[str, str]
) -> tuple[int, str, dict[str, str]]:
    """Bytes, status and headers of the answer."""
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_COOKIE": cookie,
        "HTTP_ACCEPT_ENCODING": GZIP,
        **headers,
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    seen: list[Any] = []
    response = handler(environ, lambda *begun: seen.extend(begun[:2]))
    size = len(b"".join(response))
    response.close()
    return size, seen[0], dict(seen[1])


def etag_of(handler: Any, path: str, cookie: str) -> str:
    return answered(handler, path, cookie, {})[2]["ETag"]


def inside_cpu(call: Callable[[], int], requests: int) -> float:
    """CPU microseconds of one request in this thread."""
    begun = time.thread_time()
    for _ in range(requests):
        call()
    return 1e6 * (time.thread_time() - begun) / requests


def etag(site: Any, path: str, cookie: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", path, headers={"Cookie": cookie})
    response = connection.getresponse()
    response.read()
    connection.close()
    return str(response.headers["ETag"])


def over_http(site: Any, path: str, cookie: str, held: str = "") -> Callable[[int], float]:
    """CPU microseconds of one of so many requests; `held` is the ETag of a page that the browser has."""
    assert site.web is not None
    headers = f"Accept-Encoding: {GZIP}\r\nIf-None-Match: {held}\r\n"

    def call(requests: int) -> float:
        begun = cpu(site.web.pid)
        asyncio.run(exchanged(site.port, path, cookie, headers, requests))
        return (cpu(site.web.pid) - begun) / requests

    return call


def cpu(pid: int) -> float:
    """Microseconds that a process and its children have had, to the nanosecond: `times` counts in 10 ms."""
    import psutil

    parent = psutil.Process(pid)
    used = 0
    for process in (parent, *parent.children(recursive=True)):
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            used += int((task / "schedstat").read_text().split()[0])
    return used / 1000


async def exchanged(port: int, path: str, cookie: str, headers: str, requests: int) -> None:
    """So many requests on ABREAST connections: what a core can do in a second, it does for many at once."""
    connections = Connections(port)

    async def some() -> None:
        for _ in range(requests // ABREAST):
            await connections.exchange(path, cookie, headers=headers)

    await asyncio.gather(*(some() for _ in range(ABREAST)))
    connections.close()


def statements(call: Callable[[], Any]) -> list[str]:
    """What it asks the database; Django's own log of that is empty where DEBUG is off."""
    from django.db import connection

    found: list[str] = []

    def noted(execute: Any, sql: str, *rest: Any) -> Any:
        found.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(noted):
        call()
    return found
