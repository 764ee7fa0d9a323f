"""Answers of a chat backend to a question it has answered before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from performance import conf
from performance.cache.digest import digest, normalised
from performance.cache.frozen import freeze
from performance.cache.namespaces import Namespace
from performance.cache.stored import Stored, stored

ALIAS = "ai_responses"
SITE = "site"


class AIResponseCache:
    """Complete answers, under all that the answer depended on.

        key = ai_response_cache.key(
            backend="default", model="m", options={...}, system=prompt, tools={"add": "1"},
            messages=[{"role": "user", "text": "..."}, ...],
        )
        found = ai_response_cache.get(key, user=user.id)      # Stored(value, stored_at, .age) or None
        ai_response_cache.set(key, answer, user=user.id, complete=True, deterministic=not tool_runs)

    `user=None` is an answer that is the same for the whole site: for what has nothing personal in
    it, its messages included. "Regenerate" does not call `get`, and its `set` replaces the entry;
    a conversation that opted out calls neither.
    """

    def key(
        self,
        *,
        backend: str,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        system: str = "",
        tools: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> str:
        """The digest of everything the answer depends on. `tools` is name: version."""
        turns = [{**turn, "text": normalised(turn.get("text", ""))} for turn in messages]
        return digest(backend, model, system, dict(tools or {}), dict(options or {}), turns)

    def get(self, key: str, *, user: object = None) -> Stored | None:
        found = _space(user).get(key) if _on() else None
        return found if isinstance(found, Stored) else None

    def set(
        self, key: str, answer: Any, *, user: object = None, complete: bool, deterministic: bool
    ) -> bool:
        """Store an answer; whether it was stored.

        `complete`: the backend finished it, neither cut, stopped nor refused. `deterministic`: no
        tool ran for it, or only tools that are declared deterministic. Both must hold.
        """
        if not (complete and deterministic and _on()):
            return False
        return _space(user).set(key, stored(freeze(answer)))

    def forget(self, key: str, *, user: object = None) -> None:
        _space(user).delete(key)

    def clear(self, *, user: object = None) -> None:
        """Forget every answer given to `user`; without one, every answer."""
        Namespace(f"user:{user}" if user is not None else "answers", cache=ALIAS).clear()

    async def aget(self, key: str, *, user: object = None) -> Stored | None:
        found = await _space(user).aget(key) if _on() else None
        return found if isinstance(found, Stored) else None

    async def aset(
        self, key: str, answer: Any, *, user: object = None, complete: bool, deterministic: bool
    ) -> bool:
        if not (complete and deterministic and _on()):
            return False
        return await _space(user).aset(key, stored(freeze(answer)))

    async def aforget(self, key: str, *, user: object = None) -> None:
        await _space(user).adelete(key)

    async def aclear(self, *, user: object = None) -> None:
        await Namespace(f"user:{user}" if user is not None else "answers", cache=ALIAS).aclear()


ai_response_cache = AIResponseCache()


def _on() -> bool:
    settings = conf.current().cache
    return settings.enabled and settings.ai_responses


def _space(user: object) -> Namespace:
    scope = SITE if user is None else f"user:{user}"
    return Namespace(scope, "answers", cache=ALIAS, family="ai_response")
