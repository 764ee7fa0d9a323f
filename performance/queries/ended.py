"""Where scopes go when they end, and how those that never do are emptied: for the log to pick up.

One append to the metrics' buffer, which is bounded and counts what it had to drop. The receivers are
called in the flusher's thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from performance import conf, metrics
from performance.metrics.recording import Recording

if TYPE_CHECKING:
    from performance.queries.scope import Scope

EMPTY_AFTER = 10.0
"""Seconds after which a scope that goes on is emptied: a command, a long task."""

receivers: list[Callable[[Recording, Scope], None]] = []

observers: list[Callable[[Scope], None]] = []
"""Called where a scope ends, in its thread: for tests."""

_followed: set[Scope] = set()
_pieces: list[Scope] = []


def add(scope: Scope) -> None:
    """Takes a scope that has ended. Never raises."""
    metrics.record(_replay, scope)


def follow(scope: Scope) -> None:
    """Takes a scope that may go on for long, or that nobody will end."""
    _followed.add(scope)


def leave(scope: Scope) -> None:
    """Follows it no more: it has ended."""
    _followed.discard(scope)


def lost() -> None:
    """Counts a statement that could not be recorded."""
    metrics.count("metrics_dropped", reason="query")


def empty(*, at_once: bool = False) -> None:
    """Takes the statements out of scopes that go on; called by the flusher's thread.

    A thread may be adding to what was taken out, so it waits for the next call before it counts.
    """
    global _pieces
    pieces, _pieces = _pieces, []
    since = time.time() - (0 if at_once else EMPTY_AFTER)
    for scope in list(_followed):
        if scope.emptied <= since:
            _empty(scope)
    if at_once:
        pieces, _pieces = pieces + _pieces, []
    for piece in pieces:
        metrics.record(_replay, piece)


def _empty(scope: Scope) -> None:
    piece = scope.split()
    if piece.statements or piece.transactions:
        if conf.current().queries.enabled:
            _pieces.append(piece)
    elif scope.is_leftover:
        _followed.discard(scope)
        scope.ended = time.time()


def _replay(recording: Recording, scope: Scope) -> None:
    for receiver in receivers:
        receiver(recording, scope)


def _in_child() -> None:
    _followed.clear()
    _pieces.clear()


os.register_at_fork(after_in_child=_in_child)
