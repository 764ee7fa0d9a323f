"""Results of tools that were run before with the same arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from performance import conf
from performance.cache.digest import digest
from performance.cache.frozen import freeze
from performance.cache.namespaces import Namespace
from performance.cache.remembering import aremember, remember
from performance.cache.stored import Stored, stored

ALIAS = "tool_results"
SITE = "site"


class ToolCall:
    """Which result: tool, version of the tool, arguments in any order, and for whom."""

    __slots__ = ("name", "space")

    def __init__(
        self, tool: str, version: object, arguments: Mapping[str, Any], user: object = None
    ) -> None:
        scope = SITE if user is None else f"user:{user}"
        self.name = digest(str(version), scope, dict(arguments))
        self.space = Namespace(f"tool:{tool}", scope, "tools", cache=ALIAS, family=f"tool_{tool}")


class ToolResultCache:
    """Results under tool name, tool version, canonical arguments and scope (a user, or the site).

        call = ToolCall("weather", 2, {"place": "Oslo"}, user=None)       # None: the same for all
        found = tool_result_cache.get(call)                               # Stored or None
        tool_result_cache.set(call, result, ttl=tool.cache_seconds)
        found = tool_result_cache.remember(call, run, ttl=tool.cache_seconds)   # Stored, one run for all

    Only a tool that reads and says how long its result holds belongs here. An error is stored with
    `is_error=True` and a `ttl` of its own, where the tool says that its errors may be.
    """

    def get(self, call: ToolCall) -> Stored | None:
        found = call.space.get(call.name) if _on() else None
        return found if isinstance(found, Stored) else None

    def set(self, call: ToolCall, result: Any, *, ttl: float, is_error: bool = False) -> bool:
        """Store for `ttl` seconds; whether it was stored. 0 or less stores nothing."""
        if not _on() or ttl <= 0:
            return False
        return call.space.set(call.name, stored(freeze(result), is_error=is_error), ttl)

    def remember(self, call: ToolCall, run: Callable[[], Any], *, ttl: float) -> Stored:
        """The stored result, else that of one `run()` for all who ask. Raises what `run` raises."""
        key = call.space.key(call.name) if _on() and ttl > 0 else None
        if key is None:
            return stored(freeze(run()))
        found: Stored = remember(key, lambda: stored(freeze(run())), ttl, cache=ALIAS, stale=0)
        return found

    def forget(self, call: ToolCall) -> None:
        call.space.delete(call.name)

    def clear(self, tool: str | None = None) -> None:
        """Forget every result of `tool`; without one, every result."""
        Namespace(f"tool:{tool}" if tool else "tools", cache=ALIAS).clear()

    async def aget(self, call: ToolCall) -> Stored | None:
        found = await call.space.aget(call.name) if _on() else None
        return found if isinstance(found, Stored) else None

    async def aset(
        self, call: ToolCall, result: Any, *, ttl: float, is_error: bool = False
    ) -> bool:
        if not _on() or ttl <= 0:
            return False
        return await call.space.aset(call.name, stored(freeze(result), is_error=is_error), ttl)

    async def aremember(
        self, call: ToolCall, run: Callable[[], Awaitable[Any]], *, ttl: float
    ) -> Stored:
        async def load() -> Stored:
            return stored(freeze(await run()))

        key = await call.space.akey(call.name) if _on() and ttl > 0 else None
        if key is None:
            return await load()
        found: Stored = await aremember(key, load, ttl, cache=ALIAS, stale=0)
        return found

    async def aforget(self, call: ToolCall) -> None:
        await call.space.adelete(call.name)

    async def aclear(self, tool: str | None = None) -> None:
        await Namespace(f"tool:{tool}" if tool else "tools", cache=ALIAS).aclear()


tool_result_cache = ToolResultCache()


def _on() -> bool:
    settings = conf.current().cache
    return settings.enabled and settings.tool_results
