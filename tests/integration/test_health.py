"""Health of the running site while everything it needs hangs."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from tests.servers import ThrowAwayValkey
from tests.site import Site

SESSION = "sessionid=abcdefghijklmnopqrstuvwxyz012345"  # somebody's: it has to be looked up
THREADS = 4  # WEB_THREADS of the site


@pytest.fixture
def hanging_postgresql() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"postgres://user:secret@127.0.0.1:{server.getsockname()[1]}/chat"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_live_and_ready_answer_while_postgresql_redis_and_all_page_threads_hang(
    tmp_path: Path, hanging_postgresql: str, valkey_server: Callable[..., ThrowAwayValkey]
) -> None:
    """Slow because a real site starts, and pages wait for servers that never answer."""
    cache, queue = valkey_server(), valkey_server()
    site = Site(
        tmp_path,
        DATABASE_URL=hanging_postgresql,
        CACHE_URL=cache.url,
        QUEUE_URL=queue.url,
        WEB_THREADS=str(THREADS),
    )
    try:
        site.start_web()
        site.wait_until_ready()
        cache.freeze()
        queue.freeze()
        waiting = [_in_thread(f"{site.url}/") for _ in range(THREADS * 2)]
        for _ in range(5):
            with urlopen(f"{site.url}/health/live", timeout=2) as response:
                assert (response.status, response.read()) == (200, b"ok")
        with pytest.raises(HTTPError) as caught, urlopen(f"{site.url}/health/ready", timeout=5):
            pass
        told = json.loads(caught.value.read())
        # The pages wait as they did: nobody had to end for the health to be told.
        assert sum(thread.is_alive() for thread in waiting) >= THREADS

        assert caught.value.code == 503
        assert told["status"] == "not ready"
        down = [service for service, state in told["services"].items() if state == "down"]
        assert down == ["database", "migrations", "cache", "queue", "workers"]
        assert "secret" not in json.dumps(told)
        caught.value.close()
    finally:
        _kill(site)
        cache.thaw()
        queue.thaw()


def _kill(site: Site) -> None:
    """A gentle end would wait for the pages that hang."""
    if site.web:
        for process in psutil.Process(site.web.pid).children(recursive=True):
            process.kill()
        site.web.kill()
        site.web.wait()


def _in_thread(url: str) -> threading.Thread:
    def ask() -> None:
        try:
            with urlopen(Request(url, headers={"Cookie": SESSION}), timeout=30) as response:
                response.read()
        except OSError:  # an error page, or the site's end
            return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread
