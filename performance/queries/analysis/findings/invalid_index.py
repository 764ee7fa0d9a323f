"""Indexes that a failed CREATE INDEX CONCURRENTLY left behind: written to, never read."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder

BUILDING = "SELECT index_relid FROM pg_stat_progress_create_index"


@finder("invalid_index")
def find(facts: Facts) -> Iterator[Finding]:
    building = {row["index_relid"] for row in facts.database.rows(BUILDING)}
    for index in facts.catalog.indexes:
        table = facts.catalog.table_by_oid[index.table_oid]
        if index.valid or index.oid in building or table.kind == "p":
            continue
        yield Finding(
            kind="invalid_index",
            severity=Severity.CRITICAL,
            about=index.name,
            said=f"It is not valid: writes to {table.label} keep it, and no query may use it.",
            remedy="Drop it and create it again, or rebuild it.",
            sql=f"REINDEX INDEX CONCURRENTLY {quoted(table.schema)}.{quoted(index.name)}",
            weight=index.bytes,
        )
