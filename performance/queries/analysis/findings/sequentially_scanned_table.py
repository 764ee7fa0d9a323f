"""Large tables that are often read from end to end."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity

MANY_ROWS = 10_000
OFTEN = 100
FEW_SCANS_PER_ROW = 0.2


@finder("sequentially_scanned_table")
def find(facts: Facts) -> Iterator[Finding]:
    for table in facts.catalog.tables:
        if table.rows < MANY_ROWS or table.seq_scan < OFTEN:
            continue
        share = table.seq_scan / (table.seq_scan + table.idx_scan)
        if share < FEW_SCANS_PER_ROW:
            continue
        yield Finding(
            kind="sequentially_scanned_table",
            severity=severity(table.seq_rows, warning=10_000_000, critical=10_000_000_000),
            about=table.label,
            said=f"{table.seq_scan:,} sequential scans ({share:.0%} of all) have read "
            f"{table.seq_rows:,} rows of it.",
            remedy="See the statements on it above, and the indexes suggested.",
            weight=table.seq_rows,
        )
