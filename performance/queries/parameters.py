"""Real values of recent statements, for EXPLAIN: in the memory of this process and nowhere else.

A generic plan misleads where values are skewed, so the process that ran a statement may plan it again
with what it was run with. Sixteen for each fingerprint, for ten minutes; never written, sent or shown.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from performance.queries.fingerprint import Fingerprint
from performance.queries.statements import Statement

MOST = 16
WORST = 4
"""Of these the slowest, which stay until they expire; the others are the newest."""
EXPIRE = 600.0
MOST_FINGERPRINTS = 500
LARGEST = 16_384
"""Characters of SQL and values, about; larger ones are not kept."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """One run: the SQL as it was sent to the cursor, its values, what it took."""

    sql: str
    params: Any = field(repr=False)
    seconds: float
    alias: str
    at: float


_kept: OrderedDict[int, list[Parameters]] = OrderedDict()
_lock = threading.Lock()


def parameters_of(fingerprint_id: int) -> list[Parameters]:
    """What this process remembers of a fingerprint, slowest first; empty where that is nothing."""
    with _lock:
        found = _fresh(_kept.get(fingerprint_id, []))
    return sorted(found, key=lambda one: -one.seconds)


def remember(found: Fingerprint, statement: Statement) -> None:
    """Keeps the values of a statement's slowest run and of its first."""
    if found.kind in {"insert", "other"} or statement.many:
        return
    count = max(1, len(statement.runs) // 2)
    typical = statement.early_params[:1] if count > 1 else []
    runs = [(statement.worst_params, statement.worst)]
    runs += [(params, statement.nanoseconds // count) for params in typical]
    now = time.monotonic()
    fresh = [
        Parameters(statement.sql, params, took / 1e9, statement.alias, now)
        for params, took in runs
        if took >= 0 and _size(statement.sql, params) <= LARGEST
    ]
    if fresh:
        _keep(found.id, fresh)


def forget() -> None:
    """Forgets everything."""
    with _lock:
        _kept.clear()


def _keep(fingerprint_id: int, fresh: list[Parameters]) -> None:
    with _lock:
        kept = _fresh(_kept.pop(fingerprint_id, [])) + fresh
        if len(kept) > MOST:
            slowest = sorted(kept, key=lambda one: -one.seconds)[:WORST]
            newest = [one for one in kept if one not in slowest][WORST - MOST :]
            kept = slowest + newest
        _kept[fingerprint_id] = kept
        while len(_kept) > MOST_FINGERPRINTS:
            _kept.popitem(last=False)


def _fresh(kept: list[Parameters]) -> list[Parameters]:
    since = time.monotonic() - EXPIRE
    return [one for one in kept if one.at >= since]


def _size(sql: str, params: Any) -> int:
    return len(sql) + _size_of(params, LARGEST)


def _size_of(value: Any, room: int) -> int:
    """Characters in `value`, lists and JSON gone through; counted no further than over `room`."""
    value = getattr(value, "obj", value)  # of psycopg's Json
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if not isinstance(value, list | tuple | set | frozenset):
        return len(value) if hasattr(value, "__len__") else 8
    size = 8 * len(value)
    for one in value:
        if size > room:
            break
        size += _size_of(one, room - size)
    return size
