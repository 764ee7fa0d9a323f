from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from performance.metrics import sketch
from performance.metrics.summary import Summary

numbers = st.one_of(
    st.floats(1e-9, 1e12),
    st.floats(-1e12, -1e-9),
    st.just(0.0),
    st.sampled_from([0.001, 0.01, 0.1, 1.0, 1.035, 10.0]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(numbers, max_size=30), min_size=1, max_size=6), st.data())
def test_quantiles_of_merged_parts_are_within_two_percent(
    parts: list[list[float]], data: st.DataObject
) -> None:
    everything = sorted(value for part in parts for value in part)
    order = data.draw(st.permutations(range(len(parts))))
    whole = Summary()
    for index in order:
        summary = Summary()
        for value in parts[index]:
            summary.observe(value)
        whole.merge(Summary.restored(summary.stored()))

    assert whole.count == len(everything)
    for q in (0, 0.5, 0.9, 0.95, 0.99, 1):
        found = whole.quantile(q)
        if not everything:
            assert found is None
            continue
        exact = everything[math.floor(q * (len(everything) - 1))]
        assert found is not None
        assert abs(found - exact) <= abs(exact) * 0.02


@given(numbers, numbers)
def test_keys_sort_as_the_values_do(one: float, other: float) -> None:
    if one < other:
        assert sketch.key_of(one) <= sketch.key_of(other)


def test_the_ends_of_the_scale_hold_everything() -> None:
    for value in (1e-300, 5e-324, 1e300, -1e-300, -1e300):
        assert -4096 < sketch.key_of(value) < 4096


def test_counts_below_bounds() -> None:
    buckets: sketch.Buckets = {}
    for value in (0.001, 0.004, 0.2, 3.0):
        sketch.merge(buckets, {sketch.key_of(value): 1})

    assert sketch.cumulative(buckets, (0.001, 0.005, 0.5, 1)) == [1, 2, 3, 3]
