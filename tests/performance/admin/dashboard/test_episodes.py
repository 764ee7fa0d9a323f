from __future__ import annotations

import pytest

from performance.admin.dashboard.episodes import disjoint


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(1, 3, 1)], [(1, 3, 1)]),
        ([(1, 9, 1), (3, 5, 0)], [(1, 3, 1), (3, 5, 0), (5, 9, 1)]),
        ([(1, 9, 0), (3, 5, 1)], [(1, 9, 0)]),
        ([(1, 3, 1), (2, 5, 1)], [(1, 5, 1)]),
        ([(1, 2, 1), (3, 4, 1)], [(1, 2, 1), (3, 4, 1)]),
    ],
)
def test_of_what_overlaps_the_worst_is_seen(
    spans: list[tuple[float, float, int]], expected: list[tuple[float, float, int]]
) -> None:
    assert disjoint(spans) == expected
