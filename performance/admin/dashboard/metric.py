"""The charts of any one metric, such as those that the site's own code records."""

from __future__ import annotations

import math

from performance.admin.dashboard import measured
from performance.admin.dashboard.charts import Chart, Line
from performance.admin.dashboard.measured import Measured
from performance.figures import Unit, unit_of

KEY = "metric"
MOST_LINES = 12
_FILLS = "Nothing of this metric was recorded then."


def charts(by: str, name: str) -> dict[str, Chart]:
    """How often `name` was recorded, and which values it had, by the label `by` if there is one."""

    def rates(now: Measured, before: Measured | None) -> list[Line]:
        return [
            Line(label=value or "all", values=now.rates(KEY, **labels))
            for value, labels in _groups(now, by)
        ]

    def values(now: Measured, before: Measured | None) -> list[Line]:
        whole = now.whole(KEY)
        if whole.sketch and not by:
            return [
                Line(label=f"p{q}", values=now.values(KEY, measured.quantile(q / 100)))
                for q in (50, 95, 99)
            ]
        if not whole.sketch and math.isinf(whole.max):
            return []  # a counter has no values
        of, kind = (measured.quantile(0.95), "p95") if whole.sketch else (measured.most, "max")
        return [
            Line(label=f"{value} {kind}".strip(), values=now.levels(KEY, of, **labels))
            for value, labels in _groups(now, by)
        ]

    unit: Unit = unit_of(name)
    found = (
        Chart(name="values", title=name, unit=unit, fills=_FILLS, lines=values),
        Chart(
            name="rate", title=f"{name}: recorded a second", unit="rate", fills=_FILLS, lines=rates
        ),
    )
    return {chart.name: chart for chart in found}


def _groups(now: Measured, by: str) -> list[tuple[str, dict[str, str]]]:
    """The label's values with most records, by name, and the labels that choose each."""
    if not by:
        return [("", {})]
    groups = [(value, {by: value}) for value in now.labels(KEY, by)]
    groups.sort(key=lambda group: (-now.whole(KEY, **group[1]).count, group[0]))
    return sorted(groups[:MOST_LINES])
