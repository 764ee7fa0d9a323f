"""What a rule's measure makes of the summaries that it asked for. No I/O."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from performance.models.alert_rules import Aggregation, AlertRule

Labels = tuple[tuple[str, str], ...]
QUANTILES = {Aggregation.P50: 0.5, Aggregation.P95: 0.95, Aggregation.P99: 0.99}
# Nothing counted is a count of 0; of everything else nothing is known.
COUNTED = (Aggregation.COUNT, Aggregation.RATE, Aggregation.SUM)


class Summed(Protocol):
    """As performance.metrics has it."""

    count: float
    sum: float
    min: float
    max: float

    @property
    def mean(self) -> float | None: ...
    def quantile(self, q: float) -> float | None: ...
    def rate(self, seconds: float) -> float: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """The value of a rule for one set of labels; None: no data, or too little of it."""

    labels: Labels
    value: float | None
    samples: float = 0


def aggregate(aggregation: str, summary: Summed, seconds: float) -> float | None:
    """One number of a summary over `seconds`; None where nothing was measured.

    Raises ValueError on an aggregation that there is not.
    """
    kind = Aggregation(aggregation)
    if not summary.count:
        return 0.0 if kind in COUNTED else None
    if kind in QUANTILES:
        return summary.quantile(QUANTILES[kind])
    numbers: dict[Aggregation, float | None] = {
        Aggregation.COUNT: summary.count,
        Aggregation.RATE: summary.rate(seconds),
        Aggregation.SUM: summary.sum,
        Aggregation.MEAN: summary.mean,
        Aggregation.LAST: summary.mean,
        Aggregation.MIN: summary.min,
        Aggregation.MAX: summary.max,
    }
    return numbers[kind]


Part = dict[Labels, Summed]


def absent(rule: AlertRule) -> float | None:
    """The value of a rule for labels that nothing was recorded for."""
    return 0.0 if rule.aggregation in COUNTED and not rule.divisor else None


def plain(
    aggregation: str, part: Part, *, seconds: float, least: int, grouped: bool
) -> list[Measured]:
    """A measure of one metric, for each set of labels that was seen.

    Without grouping there is always one: what nobody counted is 0.
    """
    if not part and not grouped:
        return [Measured((), 0.0 if Aggregation(aggregation) in COUNTED else None)]
    trusted = 0 if Aggregation(aggregation) in COUNTED else least
    return [
        Measured(labels, _enough(aggregate(aggregation, s, seconds), s.count, trusted), s.count)
        for labels, s in part.items()
    ]


def ratio(
    aggregations: tuple[str, str],
    over: Part,
    under: Sequence[Part],
    *,
    seconds: float,
    least: int,
    grouped: bool,
) -> list[Measured]:
    """One measure divided by the sum of others; `least` samples are wanted of the divisor."""
    numerators = {labels: aggregate(aggregations[0], s, seconds) for labels, s in over.items()}
    divisors: dict[Labels, float] = defaultdict(float)
    samples: dict[Labels, float] = defaultdict(float)
    for part in under:
        for labels, summary in part.items():
            divisors[labels] += aggregate(aggregations[1], summary, seconds) or 0.0
            samples[labels] += summary.count
    keys: Iterable[Labels] = dict.fromkeys([*divisors, *numerators]) if grouped else [()]
    absent = 0.0 if Aggregation(aggregations[0]) in COUNTED else None
    return [
        Measured(
            labels,
            _enough(
                _divide(numerators.get(labels, absent), divisors[labels]), samples[labels], least
            ),
            samples[labels],
        )
        for labels in keys
    ]


def _divide(numerator: float | None, divisor: float) -> float | None:
    return None if numerator is None or not divisor else numerator / divisor


def _enough(value: float | None, samples: float, least: int) -> float | None:
    return value if value is not None and samples >= least and math.isfinite(value) else None
