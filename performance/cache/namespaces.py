"""Sets of keys that are cleared together by one write, whatever their number."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from performance.cache.families import family_of

GENERATION_SECONDS = 30 * 24 * 3600  # longer than any entry of a namespace lives


class Namespace:
    """Keys under one or more parts ("user:7", "conversation:<id>"); clearing any part clears them.

    Every part has a generation, a random number that is part of the keys. Clearing writes another
    one: entries of the old generation are never read again and expire by themselves. A writer that
    read the generation before a clear stores where nobody looks, so it cannot bring back old data:
    take the `key()` before loading, and store under it.
    """

    def __init__(self, *parts: str, cache: str = "default", family: str = "") -> None:
        if not parts:
            raise ValueError("a namespace has at least one part, such as 'user:7'")
        self.parts = parts
        self.alias = cache
        self.family = family_of(f"{family}:" if family else parts[0])

    def __repr__(self) -> str:
        return f"Namespace({', '.join(map(repr, self.parts))}, cache={self.alias!r})"

    @property
    def cache(self) -> BaseCache:
        return caches[self.alias]

    def key(self, name: str) -> str | None:
        """The key of `name` now; None when the cache cannot say (then neither read nor store)."""
        generations = self.cache.get_many(self._generation_keys())
        for missing in self._missing(generations):
            generations[missing] = self._begin(missing)
        return self._key(name, [generations[key] for key in self._generation_keys()])

    async def akey(self, name: str) -> str | None:
        generations = await self.cache.aget_many(self._generation_keys())
        for missing in self._missing(generations):
            generations[missing] = await self._abegin(missing)
        return self._key(name, [generations[key] for key in self._generation_keys()])

    def get(self, name: str, default: Any = None) -> Any:
        key = self.key(name)
        return default if key is None else self.cache.get(key, default)

    async def aget(self, name: str, default: Any = None) -> Any:
        key = await self.akey(name)
        return default if key is None else await self.cache.aget(key, default)

    def set(self, name: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT) -> bool:
        """Store a value that was made after the last clear; whether there was where to."""
        key = self.key(name)
        if key is not None:
            self.cache.set(key, value, timeout)
        return key is not None

    async def aset(self, name: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT) -> bool:
        key = await self.akey(name)
        if key is not None:
            await self.cache.aset(key, value, timeout)
        return key is not None

    def delete(self, name: str) -> bool:
        key = self.key(name)
        return key is not None and bool(self.cache.delete(key))

    async def adelete(self, name: str) -> bool:
        key = await self.akey(name)
        return key is not None and bool(await self.cache.adelete(key))

    def clear(self, *others: Namespace) -> None:
        """Forget every key under the first part, then under that of each of `others` of this cache.

        One round trip, in this order.
        """
        first = (f"generation:{space.parts[0]}" for space in (self, *others))
        self.cache.set_many({key: _generation() for key in first}, GENERATION_SECONDS)

    def purge(self) -> None:
        """As `clear`, and removes the entries from the server, at the price of a look at all its keys."""
        generation = _number(self.cache.get(self._generation_keys()[0]))
        self.clear()
        delete_pattern = getattr(self.cache, "delete_pattern", None)
        if generation and delete_pattern is not None:
            delete_pattern(f"*:*{generation:x}*:*")

    async def aclear(self) -> None:
        await self.cache.aset(self._generation_keys()[0], _generation(), GENERATION_SECONDS)

    def _generation_keys(self) -> list[str]:
        return [f"generation:{part}" for part in self.parts]

    def _missing(self, generations: dict[str, Any]) -> list[str]:
        return [key for key in self._generation_keys() if type(generations.get(key)) is not int]

    def _begin(self, key: str) -> int | None:
        generation = _generation()
        if self.cache.add(key, generation, GENERATION_SECONDS):
            return generation
        return _number(self.cache.get(key))

    async def _abegin(self, key: str) -> int | None:
        generation = _generation()
        if await self.cache.aadd(key, generation, GENERATION_SECONDS):
            return generation
        return _number(await self.cache.aget(key))

    def _key(self, name: str, generations: Sequence[int | None]) -> str | None:
        if None in generations:
            return None
        return f"{self.family}:{'.'.join(f'{number:x}' for number in generations if number)}:{name}"


def _number(found: Any) -> int | None:
    """A generation; None for what somebody else has put there: nothing is kept until a clear."""
    return found if type(found) is int else None


def _generation() -> int:
    # Random, not counted: a counter that was evicted would start again and show old entries.
    return secrets.randbits(62) | 1 << 62


def namespace(*parts: str, cache: str = "default") -> Namespace:
    return Namespace(*parts, cache=cache)
