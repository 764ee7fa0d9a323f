"""B-trees several times the size that their entries need."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.catalog import Index
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, finder, megabytes, severity

SMALLEST = 10 << 20  # bytes
PAGE, HEADER, ENTRY, FILL = 8192, 40, 16, 0.85  # ENTRY: item pointer, tuple header, padding


@finder("bloated_index")
def find(facts: Facts) -> Iterator[Finding]:
    for index in facts.catalog.indexes:
        table = facts.catalog.table_by_oid[index.table_oid]
        if index.method != "btree" or index.bytes < SMALLEST or table.never_analyzed:
            continue
        needed = _needed(facts, index)
        if needed is None or index.bytes < 2 * needed:
            continue
        yield Finding(
            kind="bloated_index",
            severity=severity(index.bytes / needed, warning=2.5, critical=float("inf")),
            about=index.name,
            said=f"It takes {megabytes(index.bytes)}; its entries need about {megabytes(needed)}.",
            remedy="Rebuild it.",
            sql=f"REINDEX INDEX CONCURRENTLY {quoted(table.schema)}.{quoted(index.name)}",
            weight=index.bytes - needed,
        )


def _needed(facts: Facts, index: Index) -> float | None:
    """Bytes that the entries need, None where an expression's width is not known."""
    columns = facts.catalog.columns(index.table_oid)
    widths = [
        columns[name].avg_width for name in (c.strip('"') for c in index.columns) if name in columns
    ]
    if len(widths) != len(index.columns) or None in widths:
        return None
    width = sum(-(-(w or 0) // 8) * 8 for w in widths) + ENTRY
    return max(PAGE, index.rows * width / ((PAGE - HEADER) * FILL) * PAGE)
