"""Too little of what is read is found in memory."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder

BLOCKS = """
SELECT sum(heap_blks_hit + coalesce(idx_blks_hit, 0))::float AS hit,
    sum(heap_blks_read + coalesce(idx_blks_read, 0))::float AS read
FROM pg_statio_user_tables
"""
FEW_BLOCKS = 100_000
LEAST = 0.95


@finder("low_cache_hit_ratio")
def find(facts: Facts) -> Iterator[Finding]:
    row = facts.database.rows(BLOCKS)[0]
    touched = (row["hit"] or 0) + (row["read"] or 0)
    if touched < FEW_BLOCKS or row["hit"] / touched >= LEAST:
        return
    yield Finding(
        kind="low_cache_hit_ratio",
        severity=Severity.WARNING,
        about="shared_buffers",
        said=f"{row['hit'] / touched:.1%} of the blocks were found in shared buffers.",
        remedy="Mend the statements that read most first; then raise shared_buffers (a quarter of the "
        "memory is usual).",
        weight=row["read"],
    )
