"""Indexes that no query has used since the statistics began: every write pays for them."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.catalog import Index, Table
from performance.queries.analysis.existing import stands_for
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
        needed = needed or _serves(facts, index, table)
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


def _serves(facts: Facts, index: Index, table: Table) -> bool:
    """Whether another finding counts on it: a narrower index that may go, or a foreign key."""
    if any(stands_for(index, other, table) for other in facts.catalog.indexes_of(table)):
        return True
    return any(
        {quoted(name) for name in key.columns} == set(index.key_columns[: len(key.columns)])
        for key in facts.catalog.foreign_keys
        if key.table_oid == table.oid
    )
