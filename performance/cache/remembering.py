"""Read-through with one load for all who ask at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypedDict, Unpack

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT


class Windows(TypedDict, total=False):
    """How long each kind of answer may be given, in seconds."""

    stale: float
    stale_if_error: float
    negative_ttl: float


def remember(
    key: str,
    load: Callable[[], Any],
    ttl: float | None = DEFAULT_TIMEOUT,  # type: ignore[assignment]
    *,
    cache: str = "default",
    **windows: Unpack[Windows],
) -> Any:
    """The cached value of `key`, else what `load()` returns, stored for `ttl` seconds."""
    return caches[cache].get_or_set(key, load, ttl)


async def aremember(
    key: str,
    load: Callable[[], Awaitable[Any]],
    ttl: float | None = DEFAULT_TIMEOUT,  # type: ignore[assignment]
    *,
    cache: str = "default",
    **windows: Unpack[Windows],
) -> Any:
    found = await caches[cache].aget(key, _MISSING)
    if found is _MISSING:
        found = await load()
        await caches[cache].aset(key, found, ttl)
    return found


_MISSING = object()
