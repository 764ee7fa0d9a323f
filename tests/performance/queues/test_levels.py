from __future__ import annotations

import pytest
from rq import defaults

from performance.queues import Level
from performance.queues.levels import RQ_KEY_PREFIX


@pytest.mark.parametrize("level", list(Level))
def test_a_levels_priority_leads_back_to_it(level: Level) -> None:
    assert Level.of(queue_name="default", priority=level.priority) == level
    assert Level.of(queue_name=level.value, priority=0) == level


def test_better_priorities_never_lead_to_worse_levels() -> None:
    order = list(Level)
    found = [
        order.index(Level.of(queue_name="default", priority=priority))
        for priority in range(-100, 101)
    ]
    assert found == sorted(found, reverse=True)
    assert set(found) == {0, 1, 2, 3, 4}


def test_an_unknown_queue() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        Level.of(queue_name="nowhere", priority=0)


def test_the_prefix_is_rqs() -> None:
    assert defaults.RQ_KEY_PREFIX == RQ_KEY_PREFIX
