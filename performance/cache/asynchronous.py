"""The async half of the cache API, on the event loop itself: no thread, one round trip a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.exceptions import SynchronousOnlyOperation

from performance.cache.base import Base, fresh
from performance.cache.envelope import Sealed

Timeout = float | None


class AsyncMethods(Base):
    async def _sealed_anywhere(self, value: Any) -> Sealed:
        try:
            return self.sealed(value)
        except SynchronousOnlyOperation:  # a QuerySet that has not asked the database yet
            return await sync_to_async(self.sealed)(value)

    async def aget(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        operation = self.operations.read(self.name_of(key, version))
        entry = await self.arun(operation, None, read=not self.tiered)
        return entry.value if entry is not None and fresh(entry) else default

    async def aget_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        names = {key: self.name_of(key, version) for key in keys}
        if not names:
            return {}
        operation = self.operations.read_many(list(dict.fromkeys(names.values())))
        found = self._partly(await self.arun(operation, {}, read=not self.tiered))
        return {key: found[name] for key, name in names.items() if name in found}

    async def aset(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        sealed, ttl = await self._sealed_anywhere(value), self._milliseconds(timeout)
        if ttl == 0:
            return await self.adelete(key, version)
        operation = self.operations.set(self.name_of(key, version), sealed, ttl)
        return bool(await self.arun(operation, False))

    async def aset_many(
        self,
        data: Mapping[Any, Any],
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> list[Any]:
        names = {self.name_of(key, version): key for key in data}
        entries = {name: await self._sealed_anywhere(data[key]) for name, key in names.items()}
        ttl = self._milliseconds(timeout)
        if ttl == 0 or not entries:
            await self.adelete_many(data, version)
            return []
        failed = await self.arun(self.operations.set_many(entries, ttl), list(names))
        return [names[name] for name in failed]

    async def aadd(
        self,
        key: Any,
        value: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        sealed, ttl = await self._sealed_anywhere(value), self._milliseconds(timeout)
        name = self.name_of(key, version)
        if ttl == 0:
            return not await self.arun(self.operations.exists(name), True)
        return bool(await self.arun(self.operations.add(name, sealed, ttl), False))

    async def atouch(
        self,
        key: Any,
        timeout: Timeout = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        ttl = self._milliseconds(timeout)
        if ttl == 0:
            return await self.adelete(key, version)
        return bool(await self.arun(self.operations.touch(self.name_of(key, version), ttl), False))

    async def adelete(self, key: Any, version: int | None = None) -> bool:
        operation = self.operations.delete_many([self.name_of(key, version)])
        return bool(await self.arun(operation, 0))

    async def adelete_many(self, keys: Iterable[Any], version: int | None = None) -> int | None:
        names = [self.name_of(key, version) for key in keys]
        return int(await self.arun(self.operations.delete_many(names), 0)) if names else None

    async def ahas_key(self, key: Any, version: int | None = None) -> bool:
        return bool(await self.arun(self.operations.exists(self.name_of(key, version)), False))

    async def aincr(self, key: Any, delta: int = 1, version: int | None = None) -> Any:
        number = await self.arun(self.operations.add_to(self.name_of(key, version), delta), None)
        if number is None:
            raise ValueError(f"Key {key!r} not found")
        return number

    async def adecr(self, key: Any, delta: int = 1, version: int | None = None) -> Any:
        return await self.aincr(key, -delta, version)

    async def aincr_version(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        version = self.version if version is None else version
        old, new = self.name_of(key, version), self.name_of(key, version + delta)
        if not await self.arun(self.operations.move(old, new), False):
            raise ValueError(f"Key {key!r} not found")
        return version + delta

    async def adecr_version(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return await self.aincr_version(key, -delta, version)

    async def aclear(self) -> None:
        await sync_to_async(self.clear, thread_sensitive=False)()
