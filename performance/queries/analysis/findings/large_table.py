"""What takes the space: the largest tables and their indexes."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder, megabytes

LARGE = 1 << 30  # bytes
MOST = 5


@finder("large_table")
def find(facts: Facts) -> Iterator[Finding]:
    largest = sorted(facts.catalog.tables, key=lambda table: table.bytes, reverse=True)
    for table in largest[:MOST]:
        heavy = table.index_bytes > 1.5 * table.heap_bytes and table.bytes > LARGE / 10
        if table.bytes < LARGE and not heavy:
            continue
        yield Finding(
            kind="large_table",
            severity=Severity.INFO,
            about=table.label,
            said=f"{megabytes(table.bytes)} in all, of which its indexes take "
            f"{megabytes(table.index_bytes)}.",
            remedy="Look for indexes that nobody needs."
            if heavy
            else "Delete or archive what is old; partition it by time where old rows go together.",
            weight=table.bytes,
        )
