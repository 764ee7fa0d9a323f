"""Real servers for every test: an own PostgreSQL and two Valkeys under .data/, shared by xdist.

tests/settings.py chooses their addresses. Servers that a test may hurt: the fixture `valkey_server`.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
import redis
from django.conf import settings
from pytest_django import DjangoDbBlocker
from xdist.scheduler import LoadFileScheduling

from chatsite.embedded import EmbeddedError, running
from performance import metrics
from performance.queries import log
from tests import leavings
from tests.dropping import drop_and_tell_what_is_left
from tests.emptying import empty_by_deleting, remember
from tests.servers import ThrowAwayValkey

BROWSER = Path(__file__).parent / "browser"
IN_BROWSER = sorted(path.name for path in BROWSER.glob("test_*.py"))
SITES = 2
LOOPBACK = ["127.0.0.1", "::1", "localhost"]

_servers = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Holds the servers until the end of the run; a run without them fails, it never skips."""
    if config.option.collectonly:
        return
    config.pluginmanager.register(leavings.Plugin(), "leavings")
    empty_by_deleting()
    drop_and_tell_what_is_left()
    names = tuple(filter(None, os.environ["TEST_EMBEDDED"].split(",")))
    try:
        _servers.enter_context(running(settings.DATA_DIR, names, volatile=True))
    except EmbeddedError as error:
        pytest.exit(f"The servers for the tests did not start. {error}", returncode=3)


class Scheduling(LoadFileScheduling):
    """A file's tests share a process; those of the browser share two, each with a site for all of its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).name
        if nodeid.startswith(f"{BROWSER.relative_to(BROWSER.parents[1])}/"):
            return f"{BROWSER.name} {IN_BROWSER.index(file) % SITES}"
        return super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of the browser go first, for they take longest."""
    items.sort(key=lambda item: (not _in_browser(item), not item.get_closest_marker("own_site")))


def _in_browser(item: pytest.Item) -> bool:
    return item.path.is_relative_to(BROWSER)


def pytest_collection_finish() -> None:
    """A million objects stay until the end: no collection of garbage need look at them again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    log.send(last=True)  # while Redis is there: nothing is left for the interpreter's end
    _servers.close()
    metrics.forget()  # such as that the servers are gone


def pytest_runtest_setup(item: pytest.Item) -> None:
    """No test reaches beyond this machine; a server that is asked by name must be a local one."""
    if not item.get_closest_marker("allow_hosts"):
        pytest_socket.socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        remember()


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_earlier_runs() -> None:
    """A run that was killed left jobs and cache entries behind."""
    for url in (settings.QUEUE_URL, settings.CACHE_URL):
        with redis.Redis.from_url(url) as client:
            client.flushdb()


@pytest.fixture(autouse=True)
def _nothing_recorded_before() -> None:
    """What one test measured is not another's."""
    metrics.forget()


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
def valkey_server(tmp_path: Path) -> Iterator[Callable[..., ThrowAwayValkey]]:
    """A factory of throw-away Valkeys to kill, freeze and restart: `valkey_server("--maxmemory", "2mb")`."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(ThrowAwayValkey(tmp_path, *options))
