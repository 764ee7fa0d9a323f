"""Whose statements they are: a request, a task or a command, followed by a context variable.

from performance.queries import scope

with scope.open(kind="request", name="conversations:detail") as seen: ...
seen.count, seen.seconds, seen.repeats

It works alike in sync and async code, in threads with a copied context and in asyncio.gather. Scopes
nest: what an inner one sees, the outer one has too when the inner one ends.
"""

from __future__ import annotations

import random
import time
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from performance import conf
from performance.queries import log
from performance.queries.statements import Statement

LOGGED = frozenset({"request", "task", "command"})
MANY_TEXTS = 10
"""Distinct SQL texts in a scope from which on the line of each new one is kept: they may be one
statement with its values written into it."""

_current: ContextVar[Scope | None] = ContextVar("performance_queries_scope", default=None)


class Scope:
    """What ran between its beginning and its end. `name` may be set until the end."""

    __slots__ = (
        *("kind", "name", "parent", "statements", "began", "ended", "logged", "late"),
        *("waited", "slow", "detailed", "room", "budget", "events", "_after"),
    )

    def __init__(self, kind: str, name: str, parent: Scope | None = None) -> None:
        settings = conf.current().queries
        self.kind = kind
        self.name = name
        # A worker or a development server is a command whose requests and tasks are their own.
        self.parent = None if parent and parent.kind == "command" and kind in LOGGED else parent
        self.logged = kind in LOGGED and not _logged_above(self.parent)
        self.statements: dict[Any, Statement] = {}
        self.began = time.time()
        self.ended = 0.0
        self.late = False  # the response has begun
        self.waited = 0  # nanoseconds until connections were there
        self.slow = int(settings.slow_ms * 1e6)
        self.detailed = self.logged and random.random() < settings.sample_rate  # noqa: S311
        self.room = MANY_TEXTS
        self.budget: Any = None
        self.events: list[Any] = []
        self._after: Scope | None = None

    @property
    def count(self) -> int:
        """Statements so far."""
        return sum(statement.count for statement in list(self.statements.values()))

    @property
    def seconds(self) -> float:
        """Seconds they took, added up; those that ran at the same time count each."""
        return sum(statement.nanoseconds for statement in list(self.statements.values())) / 1e9

    @property
    def repeats(self) -> int:
        """Statements whose SQL had run before in this scope."""
        runs = (len(s.runs) // 2 for s in list(self.statements.values()) if not s.many)
        return sum(times - 1 for times in runs if times > 1)

    @property
    def wait_seconds(self) -> float:
        """Seconds spent waiting for connections."""
        return self.waited / 1e9

    def add(self, key: Any, statement: Statement) -> Statement:
        """Keeps `statement` under `key`; of two threads that come with the same the first wins."""
        statement = self.statements.setdefault(key, statement)
        statement.late = self.late
        self.room -= 1
        if self.detailed or self.room < 0 or statement.worst >= self.slow:
            statement.locate()
        return statement

    def after(self) -> Scope:
        """Where statements go that come once this scope has ended, from a thread it left behind."""
        if self._after is None or self._after.ended:
            found = Scope(self.kind, self.name)
            found.late = True
            self._after = found
            log.follow(found)
        return self._after

    def close(self) -> None:
        """Ends it: its statements go to the outer scope and, if it is the logged one, to the log."""
        if self.ended:
            return
        self.ended = time.time()
        if self.parent is not None:
            self.parent.absorb(self)
        if self.logged and (self.statements or self.events):
            log.add(self)

    def absorb(self, inner: Scope) -> None:
        """Adds what `inner` saw."""
        for key, statement in inner.statements.items():
            mine = self.statements.get(key)
            if mine is None:
                mine = Statement(statement.sql, statement.alias, -1, None, many=statement.many)
                mine.forget()
                mine = self.statements.setdefault(key, mine)
            mine.absorb(statement)
        self.waited += inner.waited


def _logged_above(scope: Scope | None) -> bool:
    while scope is not None:
        if scope.logged:
            return True
        scope = scope.parent
    return False


def current() -> Scope | None:
    """The innermost open scope of this context."""
    return _current.get()


def enter(scope: Scope | None) -> Scope | None:
    """Makes `scope` the current one and answers the one before it, for another enter()."""
    before = _current.get()
    _current.set(scope)
    return before


class open:  # noqa: A001, N801 - reads scope.open(...)
    """Context manager: a new scope, current inside the block and ended with it.

    Scopes of kind "request", "task" and "command" go to the query log; any other kind only counts.
    """

    __slots__ = ("_before", "_kind", "_name", "_scope")

    def __init__(self, *, kind: str, name: str = "") -> None:
        self._kind = kind
        self._name = name

    def __enter__(self) -> Scope:
        self._before = _current.get()
        self._scope = Scope(self._kind, self._name, self._before)
        _current.set(self._scope)
        return self._scope

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Not by a token: a generator may be closed in another context than it was opened in.
        _current.set(self._before)
        self._scope.close()
