"""The ended scopes of this process, waiting to be merged and written: never in the request.

Bounded: when nobody empties it the oldest scopes go, and are counted.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from performance.queries.scope import Scope

MOST_KEPT = 2000

_ended: deque[Scope] = deque(maxlen=MOST_KEPT)
_followed: list[Scope] = []
_lost = 0


def add(scope: Scope) -> None:
    """Takes a scope that has ended."""
    if len(_ended) == MOST_KEPT:
        lost()
    _ended.append(scope)


def follow(scope: Scope) -> None:
    """Takes a scope that nobody will end."""
    _followed.append(scope)


def lost() -> None:
    """Counts something that could not be recorded."""
    global _lost
    _lost += 1


def take() -> tuple[list[Scope], int]:
    """All scopes that ended since the last call, and how many records were lost."""
    global _lost
    taken = [_ended.popleft() for _ in range(len(_ended))]
    missing, _lost = _lost, 0
    return taken, missing
