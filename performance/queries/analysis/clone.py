"""Proving indexes without HypoPG: on a throw-away database with a sample of the rows.

Made only where `--verify clone` asks for it, on the same server, by a role that may create databases, and
dropped at the end. Tables of up to ROWS rows are copied whole; of larger ones a sample, so that costs are
those of the sample: their proportion counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from performance.queries.analysis.catalog import Catalog, Table
from performance.queries.analysis.database import Database, reason
from performance.queries.analysis.exceptions import AnalysisError, NotPlanned
from performance.queries.analysis.expressions import quoted, string
from performance.queries.analysis.indexes import IndexDefinition
from performance.queries.analysis.plans import Plan, plan_of
from performance.queries.analysis.verifier import Indexes

ROWS = 100_000
SKIPPED = {"plpgsql", "hypopg", "pg_stat_statements"}
ENUMS = """
SELECT format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
    string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)) AS ddl
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid JOIN pg_namespace n ON n.oid = t.typnamespace
GROUP BY n.nspname, t.typname
"""
VIEWS = """
SELECT format('CREATE VIEW %I.%I AS %s', n.nspname, c.relname, pg_get_viewdef(c.oid)) AS ddl
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY c.oid
"""


class Clone:
    """Real indexes on sampled rows; "sampled" is what their suggestions are called."""

    confidence = "sampled"
    own_scale = True

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self.source = database
        self.catalog = catalog
        self.name = f"analyze_queries_{os.getpid()}"
        self.built: dict[IndexDefinition, tuple[str, int]] = {}
        self._refused: set[IndexDefinition] = set()
        self._plans: dict[str, Plan] = {}
        self.connection: Any = None

    def __enter__(self) -> Self:
        try:
            self._command(sql.SQL("CREATE DATABASE {} TEMPLATE template0"))
        except psycopg.Error as error:
            raise AnalysisError(
                f"The throw-away database cannot be made ({reason(error)}): the role needs CREATEDB, and the "
                "server must be no replica."
            ) from None
        try:
            self.connection = self._connected(self.name)
            self._fill()
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    def _drop(self) -> None:
        self._plans.clear()
        if self.connection is not None:
            self.connection.close()
        self._command(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"))

    def _command(self, text: sql.SQL) -> None:
        with self._connected(self.source.name) as connection:
            connection.execute(text.format(sql.Identifier(self.name)))

    def _connected(self, name: str) -> psycopg.Connection[Any]:
        info = self.source.connection.info
        return psycopg.connect(
            info.dsn, password=info.password or None, dbname=name, autocommit=True,
            application_name="analyze_queries",
        )  # fmt: skip

    def _fill(self) -> None:
        self._each(
            "CREATE SCHEMA IF NOT EXISTS {}", {quoted(t.schema) for t in self.catalog.tables}
        )
        names = [row["extname"] for row in self.source.rows("SELECT extname FROM pg_extension")]
        extensions = sorted(set(names) - SKIPPED)
        self._each("CREATE EXTENSION IF NOT EXISTS {} CASCADE", map(quoted, extensions))
        self._each("{}", (row["ddl"] for row in self.source.rows(ENUMS)))
        for table in self.catalog.tables:
            if not table.partition or table.kind == "r":
                self._copy(table)
        self._each("{}", (row["ddl"] for row in self.source.rows(VIEWS)))
        self._each(
            "{}", (i.definition for i in self.catalog.indexes if i.valid and not i.partition)
        )
        self.connection.execute("VACUUM ANALYZE")

    def _each(self, form: str, parts: Iterable[str]) -> None:
        """Runs a statement for each part; what cannot be made there is missing there."""
        for part in parts:
            with suppress(psycopg.Error):
                self.connection.execute(form.format(part).encode())

    def _copy(self, table: Table) -> None:
        """A table with its rows, or a sample of them."""
        columns = self.catalog.columns(table.oid).values()
        written = ", ".join(f"{quoted(c.name)} {c.type}{' NOT NULL' * c.not_null}" for c in columns)
        name = f"{quoted(table.schema)}.{quoted(table.name)}"
        names = ", ".join(quoted(c.name) for c in columns)
        share = min(100.0, 100.0 * ROWS / max(table.rows, 1))
        sample = f" TABLESAMPLE BERNOULLI ({share:.4f}) REPEATABLE (1)" if share < 100 else ""
        rows = f"COPY (SELECT {names} FROM {name}{sample}) TO STDOUT (FORMAT BINARY)"  # noqa: S608
        with suppress(psycopg.Error):
            self.connection.execute(f"CREATE TABLE {name} ({written})".encode())
            with (
                self.source.connection.cursor() as theirs,
                self.connection.cursor() as ours,
                theirs.copy(rows.encode()) as out,
                ours.copy(f"COPY {name} ({names}) FROM STDIN (FORMAT BINARY)".encode()) as into,
            ):
                for block in out:
                    into.write(block)

    def plan(self, sql: str, indexes: Indexes) -> Plan:
        key = "\0".join([sql, *sorted(index.definition for index in indexes)])
        if key not in self._plans:
            self._plans[key] = self._planned(sql, set(indexes))
        return self._plans[key]

    def _planned(self, text: str, wanted: set[IndexDefinition]) -> Plan:
        for index in wanted:
            self.possible(index)
        hidden = [name for index, (name, _size) in self.built.items() if index not in wanted]
        try:
            with (
                self.connection.transaction(force_rollback=True),
                self.connection.cursor() as cursor,
            ):
                if hidden:
                    cursor.execute(f"DROP INDEX {', '.join(hidden)}".encode())
                cursor.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) {text}".encode(), binary=True)
                found = cursor.fetchone()
        except psycopg.Error as error:
            raise NotPlanned(reason(error)) from None
        return plan_of(found[0][0]) if found else Plan(kind="", total_cost=0.0)

    def possible(self, index: IndexDefinition) -> bool:
        """Builds it, if it can be built."""
        if index in self.built or index in self._refused:
            return index in self.built
        name = f"{quoted(index.schema)}.{quoted(index.name)}"
        try:
            self.connection.execute(index.create(concurrently=False).encode())
            # An index on an expression has statistics of its own once it is there.
            if not all(key.plain for key in index.keys):
                self.connection.execute(
                    f"ANALYZE {quoted(index.schema)}.{quoted(index.table)}".encode()
                )
            row = self.connection.execute(
                f"SELECT pg_relation_size({string(name)})".encode()
            ).fetchone()
        except psycopg.Error:
            self._refused.add(index)
            return False
        self.built[index] = (name, int(row[0]) if row else 0)
        return True

    def size(self, index: IndexDefinition) -> int:
        """What it takes in the clone, for all rows."""
        table = self.catalog.table(index.schema, index.table)
        if index not in self.built or table is None:
            return 0
        return int(self.built[index][1] * max(1.0, table.rows / ROWS))

    def confidence_of(self, index: IndexDefinition) -> str:
        return self.confidence
