from __future__ import annotations

import pytest

from conversations.streams import counting
from conversations.streams.tally import Tally
from performance import metrics
from tests.performance.metrics.stored import found


@pytest.mark.usefixtures("queue_redis")
def test_open_streams_are_a_level() -> None:
    with counting.counted(Tally()), counting.counted(Tally()):
        metrics.flush()
    metrics.flush()
    metrics.flush()

    level = found("streams_open")
    assert (level.max, level.min) == (2, 0)
    assert not counting._open
