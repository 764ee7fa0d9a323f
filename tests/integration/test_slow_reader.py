"""A browser that reads nothing costs the web process nothing, and misses nothing when it wakes."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client

from conversations.streams.events import APPEND, stream_key
from tests.factories import ConversationFactory
from tests.site import Site

FRAME = b'text {"t":"' + b"x" * 4000 + b'"}'
KEPT = 300  # frames that the stream still holds
WRITTEN = 10_000  # 40 MB
MORE = 100  # streams


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow  # a web server starts
def test_a_slow_reader_is_neither_buffered_for_nor_forgotten(
    tmp_path: Path, queue_redis: redis.Redis
) -> None:
    conversation, client = ConversationFactory(), Client()
    client.force_login(conversation.user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    site = Site(tmp_path, LOG_LEVEL="WARNING")
    site.start_web()
    try:
        site.wait_until_ready()
        with _opened(site.port, f"/c/{conversation.pk}/events/", cookie) as reader:
            before = _memory(site)
            keys = [stream_key(conversation.pk)] * 500
            for _ in range(WRITTEN // 500):
                queue_redis.eval(APPEND, 500, *keys, KEPT, 600, 500, *[FRAME] * 500)
            newest = queue_redis.xrevrange(keys[0], count=1)[0][0]  # type: ignore[index]

            assert _memory(site) - before < 20 << 20
            assert _comes(reader, b"id: " + newest)
    finally:
        site.__exit__(None, None, None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow  # a web server starts
def test_open_streams_hold_no_thread_no_database_connection_and_little_memory(
    tmp_path: Path, queue_redis: redis.Redis
) -> None:
    conversation, client = ConversationFactory(), Client()
    client.force_login(conversation.user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    site, path = Site(tmp_path, LOG_LEVEL="WARNING"), f"/c/{conversation.pk}/events/"
    site.start_web()
    try:
        site.wait_until_ready()
        with ExitStack() as stack:
            for _ in range(20):  # what a process keeps for all of them
                stack.enter_context(_opened(site.port, path, cookie))
            before = _held(site), _memory(site)
            for _ in range(MORE):
                stack.enter_context(_opened(site.port, path, cookie))
            # A few of either may come and go by themselves; a stream's own would be a hundred.
            assert all(now - then < 5 for now, then in zip(_held(site), before[0], strict=True))
            assert _memory(site) - before[1] < MORE * 100 << 10
    finally:
        site.__exit__(None, None, None)


def _held(site: Site) -> tuple[int, int]:
    """Threads of the web process, and connections to its database."""
    assert site.web is not None
    processes = [psutil.Process(site.web.pid), *psutil.Process(site.web.pid).children()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return sum(process.num_threads() for process in processes), cursor.fetchone()[0]


def _opened(port: int, path: str, cookie: str) -> socket.socket:
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", port))
    reader.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Cookie: {settings.SESSION_COOKIE_NAME}={cookie}\r\n\r\n".encode()
    )
    assert b"200 OK" in reader.recv(64)
    return reader


def _memory(site: Site) -> int:
    assert site.web is not None
    processes = [psutil.Process(site.web.pid), *psutil.Process(site.web.pid).children()]
    return sum(process.memory_info().rss for process in processes)


def _comes(reader: socket.socket, text: bytes) -> bool:
    reader.settimeout(10)
    received = b""
    while text not in received[-(1 << 20) :]:
        received += reader.recv(1 << 16)
    return True
