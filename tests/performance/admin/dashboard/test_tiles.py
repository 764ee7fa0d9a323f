from __future__ import annotations

from performance.admin.dashboard.tiles import Tile, tiles
from tests.performance.admin.dashboard.measurements import (
    counted,
    line,
    measured,
    observed,
    sampled,
)


def of(title: str, now: object, before: object) -> Tile:
    return next(tile for tile in tiles(now, before) if tile.title.startswith(title))  # type: ignore[arg-type]


def hits(n: int, misses: int) -> object:
    return measured(
        cache_hits=[line([counted(n), None, None])],
        cache_misses=[line([counted(misses), None, None])],
    )


def latency(value: float) -> object:
    return measured(requests=[line([observed(value), None, None], status="2xx")])


def test_a_figure_is_held_against_the_day_before() -> None:
    assert of("Cache hits", hits(9, 1), hits(9, 1)).trend == ""
    assert of("Cache hits", hits(3, 7), hits(9, 1)).trend == "worse"
    assert of("Cache hits", hits(9, 1), hits(3, 7)).trend == "better"
    assert of("Latency", latency(2), latency(0.2)).trend == "worse"
    assert of("Latency", latency(0.04), latency(0.01)).trend == ""  # too little to matter
    assert of("Requests", latency(1), measured()).trend == ""


def test_nothing_measured_is_unknown_and_no_failures_are_none() -> None:
    for tile in tiles(measured(), measured()):
        assert (tile.value, tile.before, tile.trend) == (None, None, "")
    assert of("Failed", latency(1), measured()).value == 0
    quiet = measured(workers=[line([sampled(1), None, None])])
    assert of("Requests", quiet, measured()).value == 0


def test_what_waits_is_the_worst_of_the_minute() -> None:
    lines = [line([sampled(2), sampled(9), None], level="low"), line([sampled(1)], level="high")]
    found = measured(queue_length=lines, queue_oldest=lines)
    assert of("Jobs waiting", found, measured()).value == 10
    assert of("Oldest job", found, measured()).value == 9
