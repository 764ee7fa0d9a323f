"""Recording: `count`, `observe`, `gauge`, `timed`. Reading is `performance.metrics.reading`.

An event costs the caller an append to a list: no lock, no I/O, no exception, whatever is recorded.
Names are snake_case with the unit last, labels few and of few values: docs/metrics.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from performance.metrics import flusher
from performance.metrics.examples import leave as example
from performance.metrics.exceptions import MetricsUnavailable
from performance.metrics.process import flush, forget, record
from performance.metrics.recording import Recording
from performance.metrics.series import LONGEST_VALUE
from performance.metrics.timing import Timed

__all__ = [
    "MetricsUnavailable", "count", "example", "flush", "forget", "gauge", "observe", "on_flush", "record",
    "remember", "timed",
]  # fmt: skip


def count(name: str, /, n: float = 1, **labels: object) -> None:
    """Counts `n` (0 or more) more of `name`."""
    record(Recording.count, name, n, _bounded(labels))


def observe(name: str, /, value: float, **labels: object) -> None:
    """Adds a value to a distribution: seconds, bytes, tokens, any finite number."""
    record(Recording.observe, name, value, _bounded(labels))


def gauge(name: str, /, value: float, **labels: object) -> None:
    """Samples a level, such as the length of a queue, as it is now."""
    record(Recording.level, name, value, _bounded(labels))


def remember(request_id: str, labels: tuple[str, str, str], seconds: float) -> None:
    """Keeps a request that ends now, to be found by its id: what it was, its method, how it ended."""
    if request_id:
        record(Recording.remember, request_id, labels, time.time() - seconds, seconds)


def timed(name: str, /, **labels: object) -> Timed:
    """Observes the seconds of a `with` block, or of each call of a decorated function."""
    bounded = _bounded(labels)
    return Timed(lambda seconds: record(Recording.observe, name, seconds, bounded))


def on_flush(callback: Callable[[], None]) -> None:
    """Has `callback` called about once a second in the flusher's thread, before it sends."""
    if callback not in flusher.callbacks:
        flusher.callbacks.append(callback)


def _bounded(labels: dict[str, Any]) -> dict[str, str]:
    # Nothing that a caller hands in lives on in the buffer, be it an object or a megabyte of text.
    for name, value in labels.items():
        if type(value) is not str or len(value) > LONGEST_VALUE:
            labels[name] = _text(value)
    return labels


def _text(value: object) -> str:
    try:
        return str(value)[:LONGEST_VALUE]
    except Exception:  # noqa: BLE001 - whatever __str__ may raise
        return "unprintable"
