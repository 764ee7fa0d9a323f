"""The indexes that exist, in the words of those that could be."""

from __future__ import annotations

from performance.queries.analysis.catalog import Catalog, Index, Table
from performance.queries.analysis.indexes import IndexDefinition, Key

DESCENDING, NULLS_FIRST = 1, 2


def definition(index: Index, table: Table) -> IndexDefinition:
    """`index` as a definition; equal to one that would build the same."""
    return IndexDefinition(
        schema=table.schema,
        table=table.name,
        method=index.method,
        keys=tuple(_key(index, at) for at in range(index.keys)),
        include=tuple(sorted(name.strip('"') for name in index.included)),
        where=index.predicate or "",
    )


def _key(index: Index, at: int) -> Key:
    written = index.columns[at]
    plain = "(" not in written and "'" not in written
    options = index.options[at] if at < len(index.options) else 0
    descending = bool(options & DESCENDING)
    nulls_first = bool(options & NULLS_FIRST)
    return Key(
        target=written.strip('"') if plain else written,
        plain=plain,
        descending=descending,
        nulls_first=None if nulls_first == descending else nulls_first,
        operators="" if index.default_classes[at] else index.classes[at],
    )


def covers(index: IndexDefinition, catalog: Catalog) -> bool:
    """Whether a valid index that exists serves whoever would use `index`."""
    table = catalog.table(index.schema, index.table)
    if table is None:
        return False
    return any(
        found.valid and index.covered_by(definition(found, table))
        for found in catalog.indexes_of(table)
    )


def superseded(index: IndexDefinition, catalog: Catalog) -> list[str]:
    """Names of existing indexes that nobody needs once `index` is there."""
    table = catalog.table(index.schema, index.table)
    if table is None:
        return []
    return [
        found.name
        for found in catalog.indexes_of(table)
        if not found.is_unique
        and not found.constraint_backed
        and _is_redundant(definition(found, table), index)
    ]


def _is_redundant(index: IndexDefinition, wider: IndexDefinition) -> bool:
    """Whether `wider` serves as well. A partial index finds its few rows where a whole one finds all."""
    return index.covered_by(wider) and index.where in ("", wider.where)


def stands_for(wider: Index, index: Index, table: Table) -> bool:
    """Whether `index` could go because `wider` begins with the same columns."""
    if index.is_unique or index.constraint_backed or wider.oid == index.oid:
        return False
    if not (wider.valid and index.valid):
        return False
    ours, theirs = definition(index, table), definition(wider, table)
    return ours != theirs and _is_redundant(ours, theirs)
