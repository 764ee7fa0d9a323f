"""Tables that dead rows have blown up."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, megabytes, severity

SMALLEST = 10 << 20  # bytes
ROW, PAGE, FILL = 28, 8168, 0.95  # bytes of a row's header and pointer, of a page


@finder("bloated_table")
def find(facts: Facts) -> Iterator[Finding]:
    for table in facts.catalog.tables:
        if table.kind != "r" or table.heap_bytes < SMALLEST or table.never_analyzed:
            continue
        columns = facts.catalog.columns(table.oid).values()
        if any(column.avg_width is None for column in columns):
            continue
        width = sum((c.avg_width or 0) * (1 - (c.null_frac or 0)) for c in columns) + ROW + 4
        needed = max(PAGE, table.rows * width / FILL)
        if table.heap_bytes < 2 * needed:
            continue
        yield Finding(
            kind="bloated_table",
            severity=severity(table.heap_bytes / needed, warning=2.5, critical=float("inf")),
            about=table.label,
            said=f"It takes {megabytes(table.heap_bytes)}; its rows need about {megabytes(needed)}.",
            remedy="Let autovacuum run more often; VACUUM FULL (which locks) or pg_repack gives the "
            "space back.",
            weight=table.heap_bytes - needed,
        )
