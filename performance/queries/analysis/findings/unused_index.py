"""Indexes that no query has used since the statistics began: every write pays for them."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder, megabytes

SMALLEST = 1 << 20  # bytes
DAYS = 7  # of statistics, below which "unused" is only a remark


@finder("unused_index")
def find(facts: Facts) -> Iterator[Finding]:
    days = facts.database.value(
        "SELECT extract(epoch FROM now() - coalesce(stats_reset, pg_postmaster_start_time())) / 86400"
        " FROM pg_stat_database WHERE datname = current_database()"
    )
    standby = facts.database.value("SELECT pg_is_in_recovery()")
    for index in facts.catalog.indexes:
        table = facts.catalog.table_by_oid[index.table_oid]
        needed = index.is_unique or index.constraint_backed or index.exclusion or index.identity
        if index.scans or needed or index.bytes < SMALLEST or not index.valid or index.partition:
            continue
        sure = float(days or 0) >= DAYS and not standby
        yield Finding(
            kind="unused_index",
            severity=Severity.WARNING if sure else Severity.INFO,
            about=index.name,
            said=f"No query has used it in {float(days or 0):.1f} days; it takes "
            f"{megabytes(index.bytes)} of {table.label} and a share of every write.",
            remedy="Drop it, if the replicas do not use it either."
            + ("" if sure else f" Look again after {DAYS} days of statistics."),
            sql=f"DROP INDEX CONCURRENTLY {quoted(table.schema)}.{quoted(index.name)}",
            weight=index.bytes,
        )
