"""Both tiers: copies in this process, kept current by the server's own messages."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any

from performance.cache import values
from performance.cache.local import MOST_READS, Slot
from performance.cache.remote import RedisCache


class TieredCache(RedisCache):
    """A value that nobody can change (see `freeze`) is given to all as it is; any other as a copy."""

    tiered = True

    def _settle(self) -> None:
        super()._settle()
        local, self._tracker = self.engine.first_tier()
        self._find = local.slots.get
        self._stem = self._keys.stem

    def get(
        self, key: Any, default: Any = None, version: int | None = None, client: Any = None
    ) -> Any:
        # Most calls end here, so `held` and `value_of` are written out: a call costs as much again.
        if version is None and type(key) is str and self._stem is not None:
            slot = self._find(self._stem + key)
            if slot is not None and slot.expires > monotonic() < self._tracker.fresh_until:
                slot.counts.local_hits += 1
                if slot.reads < MOST_READS:
                    slot.reads += 1
                return slot.value if slot.frozen else values.unpack(slot.raw)
        slot = self.held(self._keys.name(key, version))
        if slot is not None:
            return self.value_of(slot)
        self._tracker.start()
        return super().get(key, default, version, client)

    async def aget(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        slot = self.held(self._keys.name(key, version))
        if slot is not None:
            return slot.value if slot.frozen else values.unpack(slot.raw)
        self._tracker.start()
        return await super().aget(key, default, version)

    def get_many(
        self, keys: Iterable[Any], version: int | None = None, client: Any = None
    ) -> dict[Any, Any]:
        found, absent = self._held_many(keys, version)
        if absent:
            self._tracker.start()
            found.update(super().get_many(absent, version, client))
        return found

    async def aget_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        found, absent = self._held_many(keys, version)
        if absent:
            self._tracker.start()
            found.update(await super().aget_many(absent, version))
        return found

    def has_key(self, key: Any, version: int | None = None, client: Any = None) -> bool:
        held = self.held(self._keys.name(key, version))
        return held is not None or super().has_key(key, version, client)

    def catch_up(self) -> None:
        """Take in what has come from the server until now: no copy is older than that."""
        if not self._tracker.drain():
            self._tracker.doubt()  # whoever reads next waits for that, or asks the server

    def held(self, name: str) -> Slot | None:
        slot = self._find(name)
        if slot is None:
            return None
        now = monotonic()
        if now >= self._tracker.fresh_until:
            slot = self._find(name) if self._tracker.drain() else None
            if slot is None:
                return None
        if now >= slot.expires:
            return None
        slot.counts.local_hits += 1
        if slot.reads < MOST_READS:
            slot.reads += 1
        return slot

    def value_of(self, slot: Slot) -> Any:
        return slot.value if slot.frozen else values.unpack(slot.raw)

    def _held_many(
        self, keys: Iterable[Any], version: int | None
    ) -> tuple[dict[Any, Any], list[Any]]:
        found, absent = {}, []
        for key in keys:
            slot = self.held(self._keys.name(key, version))
            if slot is None:
                absent.append(key)
            else:
                found[key] = self.value_of(slot)
        return found, absent
