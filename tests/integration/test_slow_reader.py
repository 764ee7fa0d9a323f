"""A browser that reads nothing costs the web process nothing, and misses nothing when it wakes."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest
import redis
from django.conf import settings
from django.test import Client

from conversations.streams.events import APPEND, stream_key
from tests.factories import ConversationFactory
from tests.site import Site

FRAME = b'text {"t":"' + b"x" * 4000 + b'"}'
KEPT = 300  # frames that the stream still holds
WRITTEN = 10_000  # 40 MB


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
