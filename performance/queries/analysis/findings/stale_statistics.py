"""Tables that changed much since ANALYZE, or never saw one: the planner guesses."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder

FEW_ROWS = 1_000
SHARE = 0.2  # of the rows; autovacuum's own threshold is 0.1


@finder("stale_statistics")
def find(facts: Facts) -> Iterator[Finding]:
    for table in facts.catalog.tables:
        if table.kind == "p" or max(table.live, table.rows) < FEW_ROWS:
            continue
        share = table.modified / max(table.live, 1)
        if not table.never_analyzed and share < SHARE:
            continue
        said = (
            "It has never been analyzed."
            if table.never_analyzed
            else f"{table.modified:,} of {table.live:,} rows changed since it was last analyzed."
        )
        yield Finding(
            kind="stale_statistics",
            severity=Severity.WARNING,
            about=table.label,
            said=f"{said} The planner guesses how many rows a condition leaves.",
            remedy="Analyze it, and see whether autovacuum keeps up.",
            sql=f"ANALYZE {quoted(table.schema)}.{quoted(table.name)}",
            weight=table.modified,
        )
