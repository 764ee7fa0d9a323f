"""Statements that read a large table from end to end for a few of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder
from performance.queries.analysis.findings.statements import by_share
from performance.queries.analysis.selection import quick

MANY_ROWS = 10_000
FEW = 0.05  # of the rows are kept


@finder("sequential_scan")
def find(facts: Facts) -> Iterator[Finding]:
    for item in facts.asked:
        if quick(item.statement):
            continue  # what it is planned with is dearer than what it is asked for
        scanned = [
            use
            for use in item.uses
            if use.scanned and use.table.rows >= MANY_ROWS and use.rows < FEW * use.table.rows
        ]
        if not scanned:
            continue
        use = max(scanned, key=lambda one: one.table.rows)
        yield Finding(
            kind="sequential_scan",
            severity=by_share(facts, item.statement),
            about=use.table.label,
            said=f"It reads all {use.table.rows:,.0f} rows to keep about {use.rows:,.0f}.",
            remedy="An index on what the condition compares; see the suggestions.",
            statement=item.statement.id,
            weight=item.statement.seconds,
        )
