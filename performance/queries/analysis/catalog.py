"""What the catalog and the statistics views say of the database, read once for a whole analysis."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import psycopg

from performance.queries.analysis.database import Database, Row

OURS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

# Sizes and definitions ask for a lock. Where somebody holds the strongest one, that table is left out.
FREE = """{table} NOT IN (SELECT relation FROM pg_locks
    WHERE granted AND mode = 'AccessExclusiveLock' AND relation IS NOT NULL)"""

TABLES = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
    greatest(c.reltuples, 0) AS rows, c.relpages AS pages, c.relallvisible AS visible,
    pg_relation_size(c.oid) AS heap_bytes, pg_indexes_size(c.oid) AS index_bytes, pg_total_relation_size(c.oid) AS bytes, coalesce(c.reloptions::text, '') AS options,
    c.relispartition AS partition, c.reltuples < 0 AS never_analyzed,
    coalesce(s.seq_scan, 0) AS seq_scan, coalesce(s.seq_tup_read, 0) AS seq_rows,
    coalesce(s.idx_scan, 0) AS idx_scan, coalesce(s.n_tup_ins, 0) AS inserted,
    coalesce(s.n_tup_upd, 0) AS updated, coalesce(s.n_tup_del, 0) AS deleted,
    coalesce(s.n_tup_hot_upd, 0) AS hot_updated, coalesce(s.n_live_tup, 0) AS live,
    coalesce(s.n_dead_tup, 0) AS dead, coalesce(s.n_mod_since_analyze, 0) AS modified,
    greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed,
    greatest(s.last_analyze, s.last_autoanalyze) AS analyzed, age(c.relfrozenxid) AS age
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND {ours} AND {free}
"""

INDEXES = """
SELECT i.indexrelid AS oid, i.indrelid AS table_oid, c.relname AS name, a.amname AS method,
    i.indisunique AS is_unique, i.indisprimary AS is_primary, i.indisvalid AS valid,
    i.indisready AS ready, i.indnkeyatts AS keys, i.indnatts AS columns_all,
    i.indisexclusion AS exclusion, i.indisreplident AS identity,
    pg_get_expr(i.indpred, i.indrelid, true) AS predicate,
    pg_get_indexdef(i.indexrelid) AS definition, pg_relation_size(i.indexrelid) AS bytes,
    c.relpages AS pages, greatest(c.reltuples, 0) AS rows, i.indoption::int2[] AS options,
    ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnatts) k)
        AS columns,
    ARRAY(SELECT o.opcname::text FROM unnest(i.indclass) WITH ORDINALITY u(class, at)
        JOIN pg_opclass o ON o.oid = u.class ORDER BY u.at) AS classes,
    ARRAY(SELECT o.opcdefault FROM unnest(i.indclass) WITH ORDINALITY u(class, at)
        JOIN pg_opclass o ON o.oid = u.class ORDER BY u.at) AS default_classes,
    coalesce(s.idx_scan, 0) AS scans, c.relispartition AS partition,
    EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = i.indexrelid) AS constraint_backed
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.indexrelid
WHERE t.relkind IN ('r', 'p', 'm') AND {ours} AND {free}
"""

COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
    t.typname::text AS base, t.typcategory::text AS category, t.typlen AS length,
    e.nspname AS type_schema, a.attcollation AS collation,
    s.n_distinct, s.null_frac, s.correlation, s.avg_width,
    s.most_common_vals::text AS common, s.most_common_freqs AS frequencies,
    s.histogram_bounds::text AS bounds
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_namespace e ON e.oid = t.typnamespace
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
    AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

FOREIGN_KEYS = f"""
SELECT k.conname AS name, k.conrelid AS table_oid, k.confrelid AS target_oid,
    k.confdeltype::text AS on_delete,
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(number, at)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.at)
        AS columns
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND {OURS}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned table or materialised view with its sizes and counters."""

    oid: int
    schema: str
    name: str
    kind: str
    rows: float
    pages: int
    visible: int
    heap_bytes: int
    index_bytes: int
    bytes: int
    options: str
    partition: bool
    never_analyzed: bool
    seq_scan: int
    seq_rows: int
    idx_scan: int
    inserted: int
    updated: int
    deleted: int
    hot_updated: int
    live: int
    dead: int
    modified: int
    vacuumed: Any
    analyzed: Any
    age: int

    @property
    def label(self) -> str:
        """The name as people write it."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def writes(self) -> int:
        return self.inserted + self.updated - self.hot_updated


@dataclass(frozen=True, slots=True)
class Index:
    """An index that exists; `columns` are its keys and then what it includes, as SQL."""

    oid: int
    table_oid: int
    name: str
    method: str
    is_unique: bool
    is_primary: bool
    valid: bool
    ready: bool
    keys: int
    columns_all: int
    exclusion: bool
    identity: bool
    predicate: str | None
    definition: str
    bytes: int
    pages: int
    rows: float
    options: list[int]
    columns: list[str]
    classes: list[str]
    default_classes: list[bool]
    scans: int
    partition: bool
    constraint_backed: bool

    @property
    def key_columns(self) -> list[str]:
        return self.columns[: self.keys]

    @property
    def included(self) -> list[str]:
        return self.columns[self.keys :]


@dataclass(frozen=True, slots=True)
class Column:
    """A column with what ANALYZE knows of it; `common` and `bounds` are values: memory only."""

    name: str
    type: str
    not_null: bool
    base: str
    category: str
    length: int
    type_schema: str
    collation: int
    n_distinct: float | None
    null_frac: float | None
    correlation: float | None
    avg_width: int | None
    common: str | None
    frequencies: list[float] | None
    bounds: str | None

    def distinct(self, rows: float) -> float:
        """How many different values the column has, as far as is known."""
        known = self.n_distinct
        if known is None:
            return max(1.0, min(rows, 200.0))
        return max(1.0, -known * rows if known < 0 else known)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    name: str
    table_oid: int
    target_oid: int
    on_delete: str
    columns: list[str]


class Catalog:
    """Tables, indexes and foreign keys; columns are read when a table's are asked for."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.locked = False  # whether tables that somebody has locked are left out
        try:
            tables, indexes = self._read(TABLES, "c.oid"), self._read(INDEXES, "t.oid")
        except psycopg.errors.LockNotAvailable:
            self.locked = True
            tables, indexes = self._read(TABLES, "c.oid"), self._read(INDEXES, "t.oid")
        self.tables = [Table(**row) for row in tables]
        known = {table.oid for table in self.tables}
        self.indexes = [one for one in (Index(**row) for row in indexes) if one.table_oid in known]
        self.foreign_keys = [ForeignKey(**row) for row in database.rows(FOREIGN_KEYS)]
        self.table_by_oid = {table.oid: table for table in self.tables}
        self._by_name = {(table.schema, table.name): table for table in self.tables}
        self._indexes: dict[int, list[Index]] = defaultdict(list)
        for index in self.indexes:
            self._indexes[index.table_oid].append(index)
        self.columns = functools.cache(self._columns)

    def _read(self, sql: str, table: str) -> list[Row]:
        free = FREE.format(table=table) if self.locked else "true"
        return self.database.rows(sql.format(ours=OURS, free=free))

    def table(self, schema: str, name: str) -> Table | None:
        return self._by_name.get((schema, name))

    def indexes_of(self, table: Table) -> list[Index]:
        return self._indexes[table.oid]

    def _columns(self, oid: int) -> dict[str, Column]:
        rows = self.database.rows(COLUMNS, (oid,))
        return {row["name"]: Column(**row) for row in rows}

    def column(self, table: Table, name: str) -> Column | None:
        return self.columns(table.oid).get(name)
