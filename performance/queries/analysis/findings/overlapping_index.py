"""Indexes whose columns another index begins with."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.existing import stands_for
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder, megabytes


@finder("overlapping_index")
def find(facts: Facts) -> Iterator[Finding]:
    for table in facts.catalog.tables:
        indexes = facts.catalog.indexes_of(table)
        for index in indexes:
            wider = next((other for other in indexes if stands_for(other, index, table)), None)
            if wider is None:
                continue
            yield Finding(
                kind="overlapping_index",
                severity=Severity.INFO,
                about=index.name,
                said=f"{wider.name} begins with the same columns; this one takes "
                f"{megabytes(index.bytes)} more.",
                remedy="Drop it, unless the wider index is several times its size; of a foreign key in "
                "Django by db_index=False.",
                sql=f"DROP INDEX CONCURRENTLY {quoted(table.schema)}.{quoted(index.name)}",
                weight=index.bytes,
            )
