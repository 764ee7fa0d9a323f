"""Two indexes that are the same."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.catalog import Index
from performance.queries.analysis.existing import definition
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder, megabytes
from performance.queries.analysis.indexes import IndexDefinition


@finder("duplicate_index")
def find(facts: Facts) -> Iterator[Finding]:
    for table in facts.catalog.tables:
        seen: dict[IndexDefinition, Index] = {}
        for index in sorted(facts.catalog.indexes_of(table), key=_importance):
            if not index.valid or index.exclusion:
                continue
            first = seen.setdefault(definition(index, table), index)
            if first is index or (index.is_unique and not first.is_unique):
                continue
            yield Finding(
                kind="duplicate_index",
                severity=Severity.WARNING,
                about=index.name,
                said=f"It does what {first.name} does, and takes {megabytes(index.bytes)}.",
                remedy="Drop one of the two.",
                sql=_drop(table.schema, table.name, index),
                weight=index.bytes,
            )


def _importance(index: Index) -> tuple[bool, bool, bool, str]:
    return (not index.is_primary, not index.is_unique, not index.constraint_backed, index.name)


def _drop(schema: str, table: str, index: Index) -> str:
    if index.constraint_backed:
        return f"ALTER TABLE {quoted(schema)}.{quoted(table)} DROP CONSTRAINT {quoted(index.name)}"
    return f"DROP INDEX CONCURRENTLY {quoted(schema)}.{quoted(index.name)}"
