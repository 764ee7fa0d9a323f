"""The shipped nginx configuration in front of two real web processes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.conf import settings
from django.test import Client

from conversations import streams
from tests.factories import ConversationFactory
from tests.nginx import NGINX, nginx
from tests.site import Site

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("queue_redis"),
    pytest.mark.slow,  # two web servers start
    pytest.mark.skipif(
        NGINX is None and "CI" not in os.environ, reason="nginx is not installed (apt-get)"
    ),
]


@pytest.fixture
def front(tmp_path: Path) -> Iterator[tuple[str, list[Site]]]:
    """nginx's address and the two web processes behind it."""
    with ExitStack() as stack:
        sites = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            sites.append(Site(tmp_path / name, LOG_LEVEL="WARNING"))
            stack.callback(sites[-1].__exit__, None, None, None)
            sites[-1].start_web()
        for site in sites:
            site.wait_until_ready()
        port = stack.enter_context(nginx(tmp_path, [site.port for site in sites]))
        yield f"http://127.0.0.1:{port}", sites


def _cookie(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def test_pages_and_streams_come_from_any_process_and_survive_the_death_of_one(
    front: tuple[str, list[Site]],
) -> None:
    url, sites = front
    conversation = ConversationFactory(title="Behind a proxy")
    client = Client()
    client.force_login(conversation.user)
    cookie = {"Cookie": _cookie(client)}
    page, events = f"{url}/c/{conversation.pk}/", f"{url}/c/{conversation.pk}/events/"

    for _ in range(4):  # both processes answer
        assert b"Behind a proxy" in urlopen(Request(page, headers=cookie), timeout=10).read()
    with urlopen(Request(events, headers=cookie), timeout=10) as stream:
        streams.announce(conversation.pk, "message", n=1)
        assert _next_event(stream) == {"n": 1}  # at once: nothing is held back

    dead = sites[0].web
    assert dead is not None
    dead.terminate()
    dead.wait(10)
    for _ in range(4):
        assert urlopen(Request(page, headers=cookie), timeout=10).status == 200
    with urlopen(Request(events, headers=cookie), timeout=10) as stream:
        assert _next_event(stream) == {"n": 1}  # the other process knows what was said before
        client.logout()  # by a third process
        assert any(line == b"event: bye\n" for line in stream)
    with pytest.raises(HTTPError, match="404"):
        urlopen(Request(events, headers=cookie), timeout=10)

    for inside in ("/metrics", "/health/detail", "/health/ready"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(url + inside, timeout=10)


def _next_event(stream: object) -> object:
    for line in stream:  # type: ignore[attr-defined]
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    return None
