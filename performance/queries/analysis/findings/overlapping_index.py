"""Indexes whose columns another index begins with."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.catalog import Index, Table
from performance.queries.analysis.existing import definition
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder, megabytes


@finder("overlapping_index")
def find(facts: Facts) -> Iterator[Finding]:
    for table in facts.catalog.tables:
        indexes = facts.catalog.indexes_of(table)
        for index in indexes:
            wider = next((other for other in indexes if _covers(other, index, table)), None)
            if wider is None:
                continue
            yield Finding(
                kind="overlapping_index",
                severity=Severity.INFO,
                about=index.name,
                said=f"{wider.name} begins with the same columns; this one takes "
                f"{megabytes(index.bytes)} more.",
                remedy="Drop it, unless the wider index is several times its size.",
                sql=f"DROP INDEX CONCURRENTLY {quoted(table.schema)}.{quoted(index.name)}",
                weight=index.bytes,
            )


def _covers(wider: Index, index: Index, table: Table) -> bool:
    if index.is_unique or index.constraint_backed or wider.oid == index.oid:
        return False
    if not (wider.valid and index.valid):
        return False
    ours, theirs = definition(index, table), definition(wider, table)
    return ours != theirs and ours.covered_by(theirs)
