"""Another process of the site, as far as caches can tell: a first tier and connections of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.cache import caches

from performance.cache.backends import TieredCache

# Nothing but another name: a process has one engine for each set of options.
OTHERWISE = {"SOCKET_TIMEOUT": 4.75}


class OtherProcess:
    def __init__(self) -> None:
        self._own = {alias: caches[alias] for alias in settings.CACHES}
        self._others = {alias: _another(settings.CACHES[alias]) for alias in settings.CACHES}
        self.wait_until_there()

    def wait_until_there(self) -> None:
        """The caches' server: both ask it, and are told of what changes."""
        for cache in (*self._own.values(), *self._others.values()):
            assert cache.engine.tracker.wait(10), "the first tier is not in use"
            deadline = time.monotonic() + 10
            while cache.engine.transport.is_down:
                assert time.monotonic() < deadline, "the server is not asked"
                time.sleep(0.01)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """What is done inside is done there."""
        with _put(self._others, afterwards=self._own):
            yield

    @contextmanager
    def away(self) -> Iterator[None]:
        """Inside `acting`, what is done here."""
        now = {alias: caches[alias] for alias in settings.CACHES}
        with _put(self._own, afterwards=now):
            yield

    def hear(self) -> None:
        """What the other has written is known here, as it is after some milliseconds."""
        for cache in self._own.values():
            cache.engine.tracker.drain()


@contextmanager
def _put(chosen: dict[str, Any], *, afterwards: dict[str, Any]) -> Iterator[None]:
    for alias, cache in chosen.items():
        caches[alias] = cache
    try:
        yield
    finally:
        for alias, cache in afterwards.items():
            caches[alias] = cache


def _another(params: dict[str, Any]) -> TieredCache:
    given = {name: value for name, value in params.items() if name not in {"BACKEND", "LOCATION"}}
    options = {**given.get("OPTIONS", {}), **OTHERWISE}
    return TieredCache(params["LOCATION"], {**given, "OPTIONS": options})
