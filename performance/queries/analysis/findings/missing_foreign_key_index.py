"""Foreign keys without an index: deleting or joining from the other side reads the whole table."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, finder, severity
from performance.queries.analysis.indexes import IndexDefinition, Key

FEW_ROWS = 1_000
MANY_ROWS = 1_000_000


@finder("missing_foreign_key_index")
def find(facts: Facts) -> Iterator[Finding]:
    for foreign in facts.catalog.foreign_keys:
        table = facts.catalog.table_by_oid.get(foreign.table_oid)
        target = facts.catalog.table_by_oid.get(foreign.target_oid)
        if table is None or target is None or table.rows < FEW_ROWS:
            continue
        if _served(facts, foreign.table_oid, foreign.columns):
            continue
        index = IndexDefinition(
            schema=table.schema,
            table=table.name,
            keys=tuple(Key(target=c) for c in foreign.columns),
        )
        yield Finding(
            kind="missing_foreign_key_index",
            severity=severity(table.rows, warning=FEW_ROWS, critical=MANY_ROWS)
            if target.deleted
            else severity(table.rows, warning=MANY_ROWS / 10, critical=float("inf")),
            about=f"{table.label}({', '.join(map(quoted, foreign.columns))})",
            said=f"The foreign key {foreign.name} to {target.label} has no index; each delete there "
            f"reads all {table.rows:,.0f} rows.",
            remedy="Add an index on the column, unless rows are never deleted there or joined from there.",
            sql=index.create(),
            weight=table.rows,
        )


def _served(facts: Facts, oid: int, columns: list[str]) -> bool:
    table = facts.catalog.table_by_oid[oid]
    return any(
        index.valid
        and not index.predicate
        and {name.strip('"') for name in index.key_columns[: len(columns)]} == set(columns)
        for index in facts.catalog.indexes_of(table)
    )
