"""What each kind of request costs in Django's handler, and what it would cost if its view did nothing.

python -m tests.benchmarks endpoints [--only NAME ...] [--requests 40] [--rounds 7] [--profile]

Statements, round trips to Redis, time in templates, and CPU of this thread with every middleware and warm
caches, for a browser that takes gzip. `floor` is the same request of the same user answered "ok": what is
above it is the view's. Both are measured in turn; the least of the rounds counts, for others only add to it.
With --profile, what the time goes to is printed for each.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import pstats
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.servers import test_database

TOKEN = "e" * 32
NOBODY = f"csrftoken={TOKEN}"
HTMX = {"HTTP_HX_REQUEST": "true"}
PLAIN: dict[str, str] = {}
ANSWERS = {"200", "201", "303", "404", "503"}  # not ready: no worker runs beside this
FORM = "application/x-www-form-urlencoded"


@dataclass
class Asked:
    """A kind of request. `form` makes what a POST sends, each time; a GET has none."""

    path: str
    cookie: str = NOBODY
    headers: dict[str, str] = field(default_factory=dict)
    form: Callable[[], tuple[str, dict[str, str]]] | None = None

    def environ(self) -> dict[str, Any]:
        path, sent = self.form() if self.form else (self.path, {})
        path, _, query = path.partition("?")
        body = urlencode(sent).encode()
        posted = {"CONTENT_TYPE": FORM, "HTTP_X_CSRFTOKEN": TOKEN} if self.form else {}
        return {
            "REQUEST_METHOD": "POST" if self.form else "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_COOKIE": self.cookie,
            "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
            "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.8,de;q=0.5",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **posted,
            **self.headers,
        }


@dataclass
class Row:
    statements: int
    round_trips: int
    template_us: float
    cpu_us: float = float("inf")
    floor_us: float = float("inf")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="endpoints")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args(arguments)
    with test_database():
        found = measure(options)
    figures = {name: vars(row) for name, row in found.items()}
    ratios = {name: round(row.cpu_us / row.floor_us, 2) for name, row in found.items()}
    print(json.dumps({"name": "endpoints", "figures": figures, "ratios": ratios}))


def measure(options: argparse.Namespace) -> dict[str, Row]:
    from django.core.handlers.wsgi import WSGIHandler
    from django.test.utils import override_settings

    override_settings(DEBUG=False).enable()  # with it on, 404 is a page for developers
    handler = WSGIHandler()
    found = {}
    print(f"{'endpoint':18} {'SQL':>4} {'Redis':>6} {'template':>9} {'CPU us':>8} {'floor':>8}")
    for name, asked in endpoints(options.requests * (options.rounds + 2) + 20).items():
        if options.only and name not in options.only:
            continue
        for _ in range(3):
            call(handler, asked)
        found[name] = counted(handler, asked)
        with nothing_done() as url:
            floor = Asked(url, asked.cookie, asked.headers, asked.form and (lambda u=url: (u, {})))
            for _ in range(3):
                call(handler, floor)
        for _ in range(options.rounds):
            found[name].cpu_us = min(found[name].cpu_us, cpu(handler, asked, options.requests))
            with nothing_done():
                least = cpu(handler, floor, options.requests)
            found[name].floor_us = min(found[name].floor_us, least)
        row = found[name]
        print(
            f"{name:18} {row.statements:4} {row.round_trips:6} {row.template_us:9.0f} "
            f"{row.cpu_us:8.0f} {row.floor_us:8.0f}",
            flush=True,
        )
        if options.profile:
            profiled(handler, name, asked, options.requests)
    return found


def call(handler: Any, asked: Asked) -> None:
    seen: list[str] = []
    response = handler(asked.environ(), lambda status, headers, error=None: seen.append(status))
    b"".join(response)
    response.close()
    if seen[0][:3] not in ANSWERS:
        raise RuntimeError(f"{asked.path} answered {seen[0]}.")


def cpu(handler: Any, asked: Asked, requests: int) -> float:
    """Microseconds of one request in this thread."""
    begun = time.thread_time()
    for _ in range(requests):
        call(handler, asked)
    return round(1e6 * (time.thread_time() - begun) / requests, 1)


def counted(handler: Any, asked: Asked) -> Row:
    from tests import round_trips
    from tests.benchmarks.pages import statements

    with round_trips.counted() as trips:
        asked_of_the_database = statements(lambda: call(handler, asked))
    with rendering() as spent:
        for _ in range(10):
            call(handler, asked)
    return Row(len(asked_of_the_database), len(trips), round(1e5 * sum(spent), 1))


@contextmanager
def rendering() -> Iterator[list[float]]:
    """Seconds of CPU in templates, those inside each other counted once."""
    from unittest import mock

    from django.template import base

    render, spent, inside = base.Template.render, [], []

    def timed(self: Any, context: Any) -> Any:
        begun = time.thread_time()
        inside.append(self)
        try:
            return render(self, context)
        finally:
            inside.pop()
            if not inside:
                spent.append(time.thread_time() - begun)

    with mock.patch.object(base.Template, "render", timed):
        yield spent


@contextmanager
def nothing_done() -> Iterator[str]:
    """The URL of a view that answers "ok", behind the same middleware."""
    from django.conf import settings

    own = settings.ROOT_URLCONF
    # Not override_settings, which has all URLs read anew.
    settings.ROOT_URLCONF = "tests.benchmarks.empty_urls"
    try:
        yield "/"
    finally:
        settings.ROOT_URLCONF = own


def profiled(handler: Any, name: str, asked: Asked, requests: int) -> None:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(requests):
        call(handler, asked)
    profile.disable()
    print(f"\n== {name}, {requests} requests")
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    pstats.Stats(profile).sort_stats("cumtime").print_stats(70)


def endpoints(sendings: int) -> dict[str, Asked]:
    """`sendings` is how many messages will be sent, each to a conversation of its own."""
    from tests.benchmarks.pages import seeded, signed_in
    from tests.factories import ConversationFactory, UserFactory

    user, made = seeded()
    cookie = signed_in(user).replace("p" * 32, TOKEN)
    staff = signed_in(UserFactory(is_staff=True, is_superuser=True)).replace("p" * 32, TOKEN)
    empty = iter([ConversationFactory(user=user).pk for _ in range(sendings)])
    short, long = (f"/c/{made[name].pk}/" for name in ("short", "long"))

    def message() -> tuple[str, dict[str, str]]:
        return f"/c/{next(empty)}/messages/", {"text": "Hello", "key": str(uuid.uuid4())}

    return {
        "list": Asked("/", cookie),
        "conversation": Asked(short, cookie),
        "earlier part": Asked(f"{long}messages/?before={made['middle']}", cookie, HTMX),
        "send": Asked("", cookie, HTMX, message),
        "search": Asked("/search/?words=paragraph", cookie),
        "rename form": Asked(f"{short}rename/", cookie),
        "settings": Asked("/settings/", cookie),
        "settings, time": Asked("/settings/time/", cookie),
        "settings, usage": Asked("/settings/usage/", cookie),
        "landing": Asked("/"),
        "login": Asked("/accounts/login/"),
        "help": Asked("/help/", cookie),
        "help page": Asked("/help/first-steps/", cookie),
        "not found": Asked("/nowhere/", cookie),
        "shared page": Asked(f"/s/{shared(made['short'])}/"),
        "attachment": Asked(attachment(user), cookie),
        "dashboard": Asked("/admin/performance/dashboard/", staff),
        "dashboard data": Asked("/admin/performance/dashboard/data/", staff),
        "/metrics": Asked("/metrics"),
        "/health/ready": Asked("/health/ready"),
    }


def shared(conversation: Any) -> str:
    """The secret of a link to it, for which nobody counts how often it is opened."""
    from conversations import sharing
    from conversations.views import shared as view

    view.MOST_OPENS = 10**9
    shown = sharing.now(conversation, with_tools=True, name="")
    assert shown is not None
    return sharing.make(conversation.user, conversation, shown, None, uuid.uuid4())


def attachment(user: Any) -> str:
    from django.core.files.base import ContentFile

    from conversations.models import Attachment, Kind, ReadingState

    text = ContentFile(b"A line of a text.\n" * 500, "notes.txt")
    made = Attachment.objects.create(
        user=user, name="notes.txt", kind=Kind.TEXT, media_type="text/plain", size=9000, file=text
    )
    made.end(ReadingState.READY)
    return f"/attachments/{made.pk}/"
