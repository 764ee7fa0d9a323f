from __future__ import annotations

from datetime import timedelta

from performance.admin.dashboard import measured as values
from tests.performance.admin.dashboard.measurements import (
    counted,
    line,
    measured,
    observed,
    sampled,
)


def test_zero_and_unknown_are_two_things() -> None:
    """No requests while others were measured is 0; nothing measured at all is a gap."""
    found = measured(
        requests=[line([counted(60), None, None], status="2xx")],
        workers=[line([sampled(3), sampled(3), None])],
    )
    assert found.rates("requests") == [1.0, 0.0, None]
    assert found.counts("errors") == [0.0, 0.0, None]
    assert found.values("requests", values.mean) == [1.0, None, None]
    assert not found.empty
    assert measured(requests=[line([None, None, None])]).empty


def test_lines_are_merged_by_what_is_asked() -> None:
    found = measured(
        requests=[
            line([observed(1, 1), None, None], view="a", status="2xx"),
            line([observed(3), observed(5), None], view="b", status="5xx"),
        ]
    )
    assert found.counts("requests") == [3, 1, None]
    assert found.counts("requests", status="5xx") == [1, 1, None]
    assert found.whole("requests", view="b").count == 2
    assert found.whole("requests").max == 5
    assert found.values("requests", values.most, view="a") == [1, None, None]
    assert found.labels("requests", "view") == ["a", "b"]
    assert found.labels("requests", "planet") == [""]


def test_merging_leaves_what_was_read_as_it_was() -> None:
    one = line([observed(1), None, None], view="a")
    found = measured(requests=[one, line([observed(2), None, None], view="b")])
    found.whole("requests")
    found.values("requests", values.quantile(0.5))
    assert one.points[0].summary.count == 1


def test_shares_and_sums_know_what_they_do_not_know() -> None:
    assert values.shares([1, 0, None, 2], [4, 0, None, None]) == [0.25, None, None, None]
    assert values.added([1, None, None], [2, 3, None]) == [3, 3, None]


def test_a_sample_holds_a_while_where_steps_are_short() -> None:
    ten = timedelta(seconds=10)
    assert values.held([None, 4, None, None, None, None, 5], ten) == [None, 4, 4, 4, 4, None, 5]
    assert values.held([4, None, 5], 6 * ten) == [4, None, 5]
