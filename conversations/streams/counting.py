"""How many browsers watch, as the metric `streams_open` of each web process, and what each stream came to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conversations.streams.tally import Tally
from performance import metrics

_open: set[object] = set()
_last = 0


@contextmanager
def counted(tally: Tally) -> Iterator[None]:
    """One open stream, for as long as the block lasts."""
    metrics.on_flush(_sample)
    stream = object()
    _open.add(stream)
    metrics.gauge("streams_open", len(_open))
    tally.open()
    try:
        yield
    finally:
        _open.discard(stream)
        tally.end()


def _sample() -> None:
    global _last
    now = len(_open)
    if now or _last:
        metrics.gauge("streams_open", now)
    _last = now
