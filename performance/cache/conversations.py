"""What a user sees of conversations: pages of messages and the list of conversations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.core.cache import caches
from django.db import transaction

from performance import conf
from performance.cache.frozen import freeze
from performance.cache.namespaces import Namespace
from performance.cache.remembering import aremember, remember

ALIAS = "conversations"
LIST = "list"


class ConversationCache:
    """Pages of one user, under keys that hold the user and the conversation.

        page = conversation_cache.remember(user.id, load, conversation_id, page=cursor)
        recent = conversation_cache.remember(user.id, load_list)          # the list of conversations
        conversation_cache.forget(user.id, conversation.id)               # beside every change

    `remember` is the way to read: it takes the key before it loads, so that a page loaded while
    the conversation changes is stored where nobody looks. Values come back frozen (tuples and
    FrozenDict in place of lists and dicts), one copy for all threads. `forget` belongs beside the
    write, inside its transaction: it acts when that commits, at once where there is none.
    Look the conversation up through the user before asking: this cache does not know who owns what,
    it only never answers one user with what was stored for another.
    """

    def get(self, user_id: object, conversation_id: object = None, page: str = "") -> Any:
        """The stored value, or None."""
        return _space(user_id, conversation_id).get(page) if _on() else None

    def set(
        self, user_id: object, value: Any, conversation_id: object = None, page: str = ""
    ) -> None:
        """Store a value made after the last change; see `remember` for one being loaded."""
        if _on():
            _space(user_id, conversation_id).set(page, freeze(value))

    def version(self, user_id: object, conversation_id: object = None) -> str | None:
        """A name of what can be seen now of that conversation, or of all of the user's, without reading it.

        Every `forget` and `clear` that would forget a page of them changes it. None where there is no
        cache to say.
        """
        self.catch_up()
        return _space(user_id, conversation_id).key("") if _on() else None

    def catch_up(self) -> None:
        """Pages are from now on no older than what the server has told of others' forgetting.

        Without it they may be by the milliseconds of `docs/cache.md`: too old for who comes with the
        news of a change, such as an event that another process sent after it. Over a network the event
        may still be quicker than the server's message: they take different connections.
        """
        catch_up = getattr(caches[ALIAS], "catch_up", None)
        if catch_up is not None and _on():
            catch_up()

    def remember(
        self,
        user_id: object,
        load: Callable[[], Any],
        conversation_id: object = None,
        page: str = "",
    ) -> Any:
        """The stored value, else `load()` once for all who wait for it. Raises what `load` raises."""
        key = _space(user_id, conversation_id).key(page) if _on() else None
        if key is None:
            return freeze(load())
        return remember(key, lambda: freeze(load()), cache=ALIAS)

    def forget(self, user_id: object, conversation_id: object = None) -> None:
        """On commit, forget that conversation and the list of conversations; or all of the user."""
        _first_on_commit(_Change(user_id, conversation_id))

    def clear(self) -> None:
        """Forget everything of everybody."""
        Namespace("conversations", cache=ALIAS).clear()

    async def aget(self, user_id: object, conversation_id: object = None, page: str = "") -> Any:
        return await _space(user_id, conversation_id).aget(page) if _on() else None

    async def aset(
        self, user_id: object, value: Any, conversation_id: object = None, page: str = ""
    ) -> None:
        if _on():
            await _space(user_id, conversation_id).aset(page, freeze(value))

    async def aremember(
        self,
        user_id: object,
        load: Callable[[], Awaitable[Any]],
        conversation_id: object = None,
        page: str = "",
    ) -> Any:
        async def frozen() -> Any:
            return freeze(await load())

        key = await _space(user_id, conversation_id).akey(page) if _on() else None
        return await frozen() if key is None else await aremember(key, frozen, cache=ALIAS)

    async def aforget(self, user_id: object, conversation_id: object = None) -> None:
        """At once: a coroutine is never inside a transaction of Django's."""
        for space in _Change(user_id, conversation_id).spaces:
            await space.aclear()

    async def aclear(self) -> None:
        await Namespace("conversations", cache=ALIAS).aclear()


conversation_cache = ConversationCache()


@dataclass(frozen=True)
class _Change:
    """What is to be forgotten."""

    user_id: object
    conversation_id: object

    def forget(self) -> None:
        first, *others = self.spaces
        first.clear(*others)

    @property
    def spaces(self) -> list[Namespace]:
        """The conversation before the list, on whose number stand whole pages that are made of both.

        A page read in between is then kept under the list's old number. The other way round it would be
        kept under the new one, made of the old conversation.
        """
        if self.conversation_id is None:
            return [Namespace(f"user:{self.user_id}", cache=ALIAS)]
        return [_space(self.user_id, self.conversation_id), _space(self.user_id, None)]


class _Changes:
    """What one transaction, or a savepoint of it, changed."""

    def __init__(self, first: _Change) -> None:
        self._all = {first: None}  # in their order

    def add(self, change: _Change) -> None:
        self._all[change] = None

    def forget(self) -> None:
        """All of them, also where one fails. Raises what the last to fail raised."""
        with ExitStack() as stack:
            for change in reversed(self._all):
                stack.callback(change.forget)


def _first_on_commit(change: _Change) -> None:
    """Once on commit, before all other hooks: one that raises drops those that come after it."""
    connection = transaction.get_connection()
    if connection.run_on_commit:
        # The first alone is looked at: a loop over all would make a thousand changes a million steps.
        of, hook, _ = connection.run_on_commit[0]
        changes = getattr(hook, "__self__", None)
        # Of a savepoint that is still open, or of none, it is dropped only with this change.
        if isinstance(changes, _Changes) and of <= set(connection.savepoint_ids):
            changes.add(change)
            return
    transaction.on_commit(_Changes(change).forget, robust=True)
    if connection.in_atomic_block:
        connection.run_on_commit.insert(0, connection.run_on_commit.pop())


def _on() -> bool:
    settings = conf.current().cache
    return settings.enabled and settings.conversations


def _space(user_id: object, conversation_id: object) -> Namespace:
    """The first part is what `forget` with both ids clears; the others what wider clears do."""
    if conversation_id is None:
        first, family = f"conversations:{user_id}:{LIST}", "conversation_list"
    else:
        first, family = f"conversation:{user_id}:{conversation_id}", "conversation_page"
    return Namespace(first, f"user:{user_id}", "conversations", cache=ALIAS, family=family)
