from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import redis
import time_machine

from performance import metrics
from performance.metrics import flusher

MOMENT = datetime(2026, 3, 4, 12, 0, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty_store(queue_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an earlier test in Redis, nor on its way there, and no levels of the process itself."""
    monkeypatch.setattr(flusher, "callbacks", [])
    metrics.forget()


@pytest.fixture
def at() -> Iterator[Callable[[datetime], None]]:
    """Moves the clock: `at(moment)`; it stands at MOMENT to begin with."""
    with time_machine.travel(MOMENT, tick=False) as traveller:
        yield traveller.move_to
