"""Plans made for a number of rows that is far from what comes."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder
from performance.queries.analysis.findings.statements import by_share
from performance.queries.analysis.workload import Asked

FACTOR = 20.0
FEW_ROWS = 1_000


@finder("bad_estimate")
def find(facts: Facts) -> Iterator[Finding]:
    for item in facts.asked:
        found = _worst(item)
        if found is None:
            continue
        table, expected, seen = found
        yield Finding(
            kind="bad_estimate",
            severity=by_share(facts, item.statement),
            about=table,
            said=f"The planner expects {expected:,.0f} rows where {seen:,.0f} come.",
            remedy="ANALYZE the table; raise the column's STATISTICS target; where two columns depend on "
            "each other, CREATE STATISTICS (dependencies, mcv).",
            statement=item.statement.id,
            weight=item.statement.seconds,
        )


def _worst(item: Asked) -> tuple[str, float, float] | None:
    """(table, expected, seen) of the node that is furthest off, among those that were run."""
    worst: tuple[float, str, float, float] | None = None
    for node in item.plan.walk():
        seen = node.extra.get("rows")
        if seen is None or max(seen, node.rows) < FEW_ROWS or not node.table:
            continue
        factor = max(seen, 1) / max(node.rows, 1)
        factor = max(factor, 1 / factor)
        if factor >= FACTOR and (worst is None or factor > worst[0]):
            worst = (factor, node.table, node.rows, float(seen))
    return worst[1:] if worst else None
