"""What a page costs: CPU and queries of each kind of request, in Django's bare WSGI handler and served.

python -m tests.benchmarks pages [--requests 150] [--rounds 5]

`handler` is the WSGI application called in this process, with every middleware; `served` is the CPU of
the web server's process for the same requests over HTTP on connections that stay open. Their ratio is
what serving adds. The pages come from the cache; `unchanged` ones are answered 304. A view that returns "ok" behind the same middleware stands beside them: what is above it
is the page itself. Requests a second and core are 1 / CPU seconds, and 10,000 a second need so many cores.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.servers import test_database

TOKEN = "p" * 32
LONG = 10_000
UNCHANGED = "unchanged_"
ANSWERS = {"200", "304", "404"}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="pages")
    parser.add_argument("--requests", type=int, default=150)
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
    from django.db import connection

    from tests.site import Site

    user, conversations = seeded()
    cookie = signed_in(user)
    handler = get_wsgi_application()
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name), LOG_LEVEL="ERROR", DEBUG="on")
        site.start_web()
        try:
            site.wait_until_ready()
            for page, path in pages(conversations).items():
                who = "" if page in {"landing", "login"} else cookie
                held = etag(site, path, who) if page.startswith(UNCHANGED) else ""
                inside = in_process(handler, path, who, HTTP_IF_NONE_MATCH=held)
                outside = over_http(site, path, who, held)
                inside(), outside(3)
                queries = counted(connection, inside)
                pairs = [(inside_cpu(inside, requests), outside(requests)) for _ in range(rounds)]
                here = statistics.median(pair[0] for pair in pairs)
                there = statistics.median(pair[1] for pair in pairs)
                found[page] = {
                    "queries": queries,
                    "handler_us": round(here, 1),
                    "served_us": round(there, 1),
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
    path, _, query = path.partition("?")

    def call() -> int:
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
            **headers,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        seen: list[str] = []
        response = handler(environ, lambda status, headers, exc_info=None: seen.append(status))
        size = len(b"".join(response))
        response.close()
        if seen[0][:3] not in ANSWERS:
            raise RuntimeError(f"{path} answered {seen[0]}.")
        return size

    return call


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
    import psutil

    assert site.web is not None
    processes = [psutil.Process(site.web.pid), *psutil.Process(site.web.pid).children()]

    def cpu() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    def call(requests: int) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        begun = cpu()
        for _ in range(requests):
            connection.request("GET", path, headers={"Cookie": cookie, "If-None-Match": held})
            connection.getresponse().read()
        used = cpu() - begun
        connection.close()
        return 1e6 * used / requests

    return call


def counted(connection: Any, call: Callable[[], int]) -> int:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)
