"""A lock that nobody gives back: pages give up with a clear answer, and their threads go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import Client

from conversations.models import Conversation
from tests.factories import ConversationFactory
from tests.site import Site

KEY = "00000000-0000-4000-8000-000000000007"


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Somebody else's transaction, which keeps the whole table to itself."""
    database = connection.settings_dict["NAME"]
    url = f"{settings.DATABASE_URL.rpartition('/')[0]}/{database}"
    with psycopg.connect(url) as other, other.transaction():
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.fixture
def visitor(transactional_db: None, cache_redis: Any, queue_redis: Any) -> Iterator[Client]:
    client = Client(raise_request_exception=False)
    client.force_login(ConversationFactory.create().user)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
        cursor.execute("SET statement_timeout = '200ms'")
        session = cursor.connection
    yield client
    session.close()  # the pool would hand it on with its timeouts
    connection.close()


def test_a_page_that_waits_too_long_is_a_503_that_says_so(visitor: Client) -> None:
    with locked("conversations_conversation"):
        response = visitor.get("/")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "no-store"
    assert b"The site is busy" in response.content
    assert b"canceling" not in response.content
    assert visitor.get("/").status_code == 200


def test_so_is_one_whose_visitor_cannot_be_looked_up(visitor: Client) -> None:
    """The error comes out of the session, which no cache holds any more."""
    caches["default"].clear()
    with locked("django_session"):
        response = visitor.get("/")
    assert response.status_code == 503


def test_nothing_of_a_message_is_stored_then_and_scripts_get_one_sentence(visitor: Client) -> None:
    form = {"text": "Brie", "key": KEY}
    with locked("conversations_message"):
        response = visitor.post("/", form, headers={"HX-Request": "true"})
    assert response.status_code == 503
    assert response.content.startswith(b"The site is busy.")
    assert Conversation.objects.count() == 1
    assert visitor.post("/", form).status_code == 303


@pytest.mark.slow  # starts a web server
def test_a_web_process_gets_its_threads_back(
    transactional_db: None, tmp_path: Path, cache_redis: Any, queue_redis: Any
) -> None:
    client = Client()
    client.force_login(ConversationFactory.create().user)
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}"
    site = Site(tmp_path, LOG_LEVEL="CRITICAL", WEB_THREADS="1", DATABASE_LOCK_TIMEOUT="1")
    site.start_web()
    try:
        site.wait_until_ready()
        with locked("conversations_conversation"):
            assert _status(site, "/", cookie) >= 500
            assert _status(site, "/accounts/login/", "") == 200  # on the one thread
        assert _status(site, "/", cookie) == 200
    finally:
        site.__exit__(None, None, None)


def _status(site: Site, path: str, cookie: str) -> int:
    try:
        with urlopen(Request(site.url + path, headers={"Cookie": cookie}), timeout=20) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
