"""What has arrived in the live store, for tests."""

from __future__ import annotations

import time

from performance.metrics import live, slots
from performance.metrics.series import Series
from performance.metrics.summary import Summary


def stored(around: float | None = None) -> dict[Series, Summary]:
    """All that is in the slots around a Unix time, now by default."""
    middle = slots.slot_at(time.time() if around is None else around)
    whole: dict[Series, Summary] = {}
    for _, content in live.read(range(middle - 40, middle + 40)):
        for series, (_, summary) in content.items():
            whole.setdefault(series, Summary()).merge(summary)
    return whole


def found(name: str, **labels: str) -> Summary:
    """The summary of one series; an empty one where nothing arrived."""
    return stored().get(Series(name, tuple(sorted(labels.items()))), Summary())
