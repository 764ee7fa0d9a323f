from __future__ import annotations

from typing import Any

from performance.admin.dashboard import metric
from tests.performance.admin.dashboard.measurements import (
    counted,
    line,
    measured,
    observed,
    sampled,
)


def lines(chart: str, by: str, *found: Any) -> dict[str, list[float | None]]:
    data = metric.charts(by, "steps_seconds")[chart].data(measured(metric=list(found)), None)
    return {one["label"]: one["values"] for one in data["lines"]}


def test_a_distribution_has_quantiles_and_by_a_label_its_p95() -> None:
    one, other = (
        line([observed(1), None, None], way="a"),
        line([observed(3, 3), None, None], way="b"),
    )
    assert list(lines("values", "", one, other)) == ["p50", "p95", "p99"]
    assert list(lines("values", "way", one, other)) == ["a p95", "b p95"]
    assert lines("rate", "way", one) == {"a": [0.01667, None, None]}


def test_a_level_shows_its_samples_and_a_counter_its_rate_alone() -> None:
    assert lines("values", "", line([sampled(4), None, None])) == {"max": [4, None, None]}
    assert lines("values", "", line([counted(4), None, None])) == {}
    assert lines("rate", "", line([counted(60), None, None])) == {"all": [1.0, None, None]}


def test_the_busiest_dozen_of_a_labels_values_is_shown() -> None:
    many = [line([counted(n), None, None], way=f"{n:02}") for n in range(1, 30)]
    found = lines("rate", "way", *many)
    assert list(found) == [f"{n:02}" for n in range(18, 30)]
