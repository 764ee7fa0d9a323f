"""The short form of `python -m tests.benchmarks soak`: what people used is given back when they have left."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.holding import Holding, Trend
from tests.benchmarks.soak import acted, at_rest, is_flat
from tests.benchmarks.visitors import Crowd, Seen, visitors
from tests.site import Site

ACTS = 120  # of which some twelve open a stream each
SLACK = 10  # threads and connections that a pool may have begun since


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow  # starts the site, and lets it work for some seconds
def test_descriptors_threads_and_connections_are_given_back(
    tmp_path: Path, cache_redis: Any, queue_redis: Any
) -> None:
    random.seed(5)
    people, seen = visitors(20), Seen()
    with Site(tmp_path, LOG_LEVEL="ERROR") as site, Holding(site) as holding:
        crowd = Crowd(site.port, people)
        asyncio.run(acted(crowd, ACTS, seen))
        before = at_rest(holding)
        asyncio.run(acted(crowd, 2 * ACTS, seen))
        after = at_rest(holding)

    assert seen.failed == 0, seen.outcomes
    assert len(seen.took["ask"]) >= 20
    counts = [name for name in before if not name.endswith("_mb")]
    assert {
        name: after[name] - before[name] for name in counts if after[name] > before[name] + SLACK
    } == {}


def test_a_line_tells_growth_from_noise() -> None:
    noise = [(10.0 * at, 100 + (at % 3) * 0.5) for at in range(60)]
    grows = [(at, value + at / 100) for at, value in noise]
    assert is_flat("web_mb", Trend.of(noise))
    assert not is_flat("web_mb", Trend.of(grows))
    assert Trend.of(grows).an_hour == pytest.approx(36, abs=1)
    assert not is_flat("web_descriptors", Trend.of(grows))
