"""Counts what is sent to Redis: a pipeline is one round trip, however many commands are in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import Any
from unittest import mock

from redis.connection import AbstractConnection

from performance.cache.channels import Channels

# The caches' own sockets, and redis-py's.
WAYS: tuple[tuple[type, str], ...] = (
    (Channels, "run"),
    (Channels, "ask"),
    (AbstractConnection, "send_packed_command"),
)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Has one entry for each round trip that this thread makes inside of it."""
    found: list[str] = []
    with ExitStack() as stack:
        for cls, name in WAYS:
            stack.enter_context(mock.patch.object(cls, name, _noted(getattr(cls, name), found)))
        yield found


def _noted(method: Any, found: list[str]) -> Any:
    own = get_ident()

    def inner(*arguments: Any, **named: Any) -> Any:
        if get_ident() == own:
            found.append(method.__qualname__)
        return method(*arguments, **named)

    return inner
