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
from performance.queries import ended
from performance.queries.call_sites import Site
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
        *("waited", "slow", "detailed", "room", "writes", "transactions", "budget", "emptied"),
        *("is_leftover", "_past", "_after", "__weakref__"),
    )

    def __init__(self, kind: str, name: str, parent: Scope | None = None) -> None:
        settings = conf.current().queries
        self.kind = kind
        self.name = name
        # A worker or a development server is a command whose requests and tasks are their own.
        self.parent = None if parent and parent.kind == "command" and kind in LOGGED else parent
        self.logged = settings.enabled and kind in LOGGED and not _logged_above(self.parent)
        self.statements: dict[Any, Statement] = {}
        self.began = time.time()
        self.ended = 0.0
        self.late = False  # the response has begun
        self.waited = 0  # nanoseconds until connections were there
        self.slow = int(settings.slow_ms * 1e6)
        self.detailed = self.logged and random.random() < settings.sample_rate  # noqa: S311
        self.room = MANY_TEXTS
        self.writes = 0
        self.transactions: list[tuple[float, Site | None, str]] = []  # long ones: seconds, where
        self.budget: Any = None  # of its view, where it declares one
        self.emptied = self.began
        self.is_leftover = False  # of threads that outlive the scope they began in
        self._past = [0, 0, 0]  # of what was taken out: count, nanoseconds, repeats
        self._after: Scope | None = None

    @property
    def count(self) -> int:
        """Statements so far."""
        return self._past[0] + sum(one.count for one in self._all())

    @property
    def seconds(self) -> float:
        """Seconds they took, added up; those that ran at the same time count each."""
        return (self._past[1] + sum(one.nanoseconds for one in self._all())) / 1e9

    @property
    def repeats(self) -> int:
        """Statements whose SQL had run before in this scope."""
        runs = (len(one.runs) // 2 for one in self._all() if not one.many)
        return self._past[2] + sum(times - 1 for times in runs if times > 1)

    def _all(self) -> list[Statement]:
        return list(self.statements.values())

    @property
    def wait_seconds(self) -> float:
        """Seconds spent waiting for connections."""
        return self.waited / 1e9

    def add(self, key: Any, statement: Statement) -> Statement:
        """Keeps `statement` under `key`; of two threads that come with the same the first wins."""
        statement = self.statements.setdefault(key, statement)
        statement.late = self.late
        self.room -= 1
        statement.early_writes = [self.writes] if statement.early_params else []
        # Many texts, or lists in them: they may be one statement with its values written into it.
        many = self.room < 0 or " IN (" in statement.sql
        if many or self.detailed or self.late or statement.worst >= self.slow:
            statement.locate()
        return statement

    def after(self) -> Scope:
        """Where statements go that come once this scope has ended, from a thread it left behind."""
        outer = self.parent
        while outer is not None:
            if not outer.ended:
                return outer
            outer = outer.parent
        if self._after is None or self._after.ended:
            found = Scope(self.kind, self.name)
            found.late = found.is_leftover = True
            self._after = found
            if found.logged:
                ended.follow(found)
        return self._after

    def split(self) -> Scope:
        """Takes out what it holds, as a scope that has ended."""
        piece = Scope(self.kind, self.name)
        self._past = [self.count, int(self.seconds * 1e9), self.repeats]
        piece.statements, self.statements = self.statements, {}
        piece.transactions, self.transactions = self.transactions, []
        piece.ended = self.emptied = time.time()
        piece.detailed, piece.late = self.detailed, self.late
        return piece

    def close(self) -> None:
        """Ends it: its statements go to the outer scope and, if it is the logged one, to the log."""
        if self.ended:
            return
        self.ended = time.time()
        for observe in ended.observers:
            observe(self)
        if self.parent is not None:
            self.parent.absorb(self)
        if self.logged or self.kind == "command":
            ended.leave(self)
        if self.logged and (self.statements or self.transactions or self.waited):
            ended.add(self)

    def absorb(self, inner: Scope) -> None:
        """Adds what `inner` saw."""
        # A thread that it left behind may still add to it.
        for key, statement in list(inner.statements.items()):
            mine = self.statements.get(key)
            if mine is None:
                mine = Statement(statement.sql, statement.alias, -1, None, many=statement.many)
                mine.forget()
                mine = self.statements.setdefault(key, mine)
            mine.absorb(statement)
        self.waited += inner.waited
        self.transactions += inner.transactions


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


class suspended:  # noqa: N801 - reads scope.suspended()
    """Context manager: what runs inside of it is not watched."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = enter(None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        enter(self._before)
