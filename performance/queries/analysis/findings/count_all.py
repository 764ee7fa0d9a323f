"""count(*) over a large table: PostgreSQL counts row by row."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis import parsing
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder
from performance.queries.analysis.findings.statements import by_share, no_worse
from performance.queries.analysis.workload import Asked

MANY_ROWS = 50_000  # counted by one call


@finder("count_all")
def find(facts: Facts) -> Iterator[Finding]:
    for item in facts.asked:
        counted = max((use.rows for use in item.uses), default=0)
        if counted < MANY_ROWS or not _counts(item):
            continue
        table = max(item.uses, key=lambda use: use.rows).table
        yield Finding(
            kind="count_all",
            severity=no_worse(by_share(facts, item.statement), Severity.WARNING),
            about=table.label,
            said=f"It counts about {counted:,.0f} rows one by one.",
            remedy="Show no exact total (a paginator without count), count to a limit, keep the count, or "
            "take pg_class.reltuples for an estimate.",
            statement=item.statement.id,
            weight=item.statement.seconds,
        )


def _counts(item: Asked) -> bool:
    tree = parsing.single(parsing.repaired(item.statement.sql)) or {}
    select = tree.get("SelectStmt", {})
    targets = select.get("targetList", [])
    return not select.get("groupClause") and any(
        name == "FuncCall" and fields.get("agg_star") for name, fields in parsing.walk(targets)
    )
