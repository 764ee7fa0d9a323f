"""Real servers for every test: an own PostgreSQL and two Valkeys under .data/test, shared by xdist."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from chatsite.embedded import EmbeddedError, running

_servers = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Holds the servers until the end of the run; tests/settings.py has settled the addresses."""
    names = tuple(filter(None, os.environ["TEST_EMBEDDED"].split(",")))
    if config.option.collectonly:
        return
    try:
        _servers.enter_context(running(settings.DATA_DIR, names, volatile=True))
    except EmbeddedError as error:
        pytest.exit(f"The servers for the tests did not start. {error}", returncode=3)


def pytest_unconfigure() -> None:
    _servers.close()


@pytest.fixture
def queue_redis() -> Iterator[redis.Redis]:
    """The queue instance, this worker's database, empty before and after."""
    yield from _flushed(settings.QUEUE_URL)


@pytest.fixture
def cache_redis() -> Iterator[redis.Redis]:
    """The cache instance, this worker's database, empty before and after."""
    yield from _flushed(settings.CACHE_URL)


def _flushed(url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def valkey_server(tmp_path: Path) -> Iterator[Any]:
    """A factory of throw-away Valkeys to kill, freeze and restart; see tests/servers.py."""
    from tests.servers import ThrowAwayValkey

    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(ThrowAwayValkey(tmp_path, *options))
