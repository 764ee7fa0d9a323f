"""Statements that fetch all columns of wide rows."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder, megabytes
from performance.queries.analysis.findings.statements import by_share, no_worse
from performance.queries.analysis.workload import Asked

WIDE = 500  # bytes of a row
MANY_ROWS = 50  # a call


@finder("select_star")
def find(facts: Facts) -> Iterator[Finding]:
    for item in facts.asked:
        rows = item.statement.rows / max(item.statement.calls, 1) or item.plan.rows
        if rows < MANY_ROWS or item.plan.width < WIDE or not _all_columns(item, facts):
            continue
        yield Finding(
            kind="select_star",
            severity=no_worse(by_share(facts, item.statement), Severity.WARNING),
            about=item.uses[0].table.label,
            said=f"It fetches every column: about {megabytes(rows * item.plan.width)} a call.",
            remedy="Name the columns: only(), defer() or values_list().",
            statement=item.statement.id,
            weight=item.statement.seconds,
        )


def _all_columns(item: Asked, facts: Facts) -> bool:
    if not item.uses:
        return False
    columns = facts.catalog.columns(item.uses[0].table.oid)
    return len(columns) > 3 and len(item.plan.output) >= len(columns)
