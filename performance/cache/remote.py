"""The second tier by itself: Django's cache API, sync and async, over Redis or Valkey."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT

from performance.cache.asynchronous import AsyncMethods
from performance.cache.base import Base, fresh
from performance.cache.extras import Extras
from performance.cache.reporting import report

Timeout = float | None


class RedisCache(AsyncMethods, Extras, Base):
    """The second tier alone: every read is a round trip to the server."""

    def get(
        self, key: Any, default: Any = None, version: int | None = None, client: Any = None
    ) -> Any:
        if client is not None:
            return self.client.get(key, default, version, client)
        name = self._keys.checked(key, version)
        if self.tiered:
            entry = self.run(self.operations.read(name), None, read=not self.tiered)
        else:
            entry = self.read_one(name)
        return entry.value if entry is not None and fresh(entry) else default

    def get_many(
        self, keys: Iterable[Any], version: int | None = None, client: Any = None
    ) -> dict[Any, Any]:
        names = {key: self.name_of(key, version) for key in keys}
        if not names:
            return {}
        operation = self.operations.read_many(list(dict.fromkeys(names.values())))
        found = self._partly(self.run(operation, {}, read=not self.tiered))
        return {key: found[name] for key, name in names.items() if name in found}

    def set(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
        client: Any = None,
        **only: bool,
    ) -> bool:
        """Whether the value is stored. What was there before is gone even where it is not.

        `nx=True` stores only where there is nothing, `xx=True` only where there is something.
        """
        if client is not None or only.get("xx"):
            self._dropped(key, version)
            return bool(self.client.set(key, value, timeout, version, client, **only))
        if only.get("nx"):
            return self.add(key, value, timeout, version)
        sealed, ttl = self.sealed(value), self._milliseconds(timeout)
        if ttl == 0:
            return self.delete(key, version)
        stored: bool = self.run(self.operations.set(self.name_of(key, version), sealed, ttl), False)
        return stored

    def set_many(
        self,
        data: Mapping[Any, Any],
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
        client: Any = None,
    ) -> list[Any]:
        names = {self.name_of(key, version): key for key in data}
        entries = {name: self.sealed(data[key]) for name, key in names.items()}
        ttl = self._milliseconds(timeout)
        if ttl == 0 or not entries:
            self.delete_many(data, version)
            return []
        failed = self.run(self.operations.set_many(entries, ttl), list(names))
        return [names[name] for name in failed]

    def add(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
        client: Any = None,
    ) -> bool:
        sealed, ttl = self.sealed(value), self._milliseconds(timeout)
        if ttl == 0:
            return not self.run(self.operations.exists(self.name_of(key, version)), True)
        added: bool = self.run(self.operations.add(self.name_of(key, version), sealed, ttl), False)
        return added

    def touch(
        self,
        key: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
        client: Any = None,
    ) -> bool:
        ttl = self._milliseconds(timeout)
        if ttl == 0:
            return self.delete(key, version)
        touched: bool = self.run(self.operations.touch(self.name_of(key, version), ttl), False)
        return touched

    def delete(
        self, key: Any, version: int | None = None, prefix: str | None = None, client: Any = None
    ) -> bool:
        if prefix is not None:
            return bool(self.client.delete(key, version, prefix, client))
        return bool(self.run(self.operations.delete_many([self.name_of(key, version)]), 0))

    def delete_many(
        self, keys: Iterable[Any], version: int | None = None, client: Any = None
    ) -> int | None:
        """How many there were, as django-redis says; None for no keys at all, as Django does."""
        names = [self.name_of(key, version) for key in keys]
        return int(self.run(self.operations.delete_many(names), 0)) if names else None

    def has_key(self, key: Any, version: int | None = None, client: Any = None) -> bool:
        there: bool = self.run(self.operations.exists(self.name_of(key, version)), False)
        return there

    def incr(
        self,
        key: Any,
        delta: int = 1,
        version: int | None = None,
        client: Any = None,
        ignore_key_check: bool = False,
    ) -> Any:
        """Raises ValueError where there is no entry, and also where the server is away."""
        if ignore_key_check:
            self.add(key, 0, version=version)
        number = self.run(self.operations.add_to(self.name_of(key, version), delta), None)
        if number is None:
            raise ValueError(f"Key {key!r} not found")
        return number

    def decr(self, key: Any, delta: int = 1, version: int | None = None, client: Any = None) -> Any:
        return self.incr(key, -delta, version)

    def incr_version(
        self, key: Any, delta: int = 1, version: int | None = None, client: Any = None
    ) -> int:
        version = self.version if version is None else version
        old, new = self.name_of(key, version), self.name_of(key, version + delta)
        if not self.run(self.operations.move(old, new), False):
            raise ValueError(f"Key {key!r} not found")
        return version + delta

    def clear(self, client: Any = None) -> None:
        """Remove every key of this KEY_PREFIX, in all versions, and no other key of the server."""
        self._clear()

    def stats(self) -> dict[str, Any]:
        """What this process counted; see docs/cache.md for each name."""
        return report(self)
