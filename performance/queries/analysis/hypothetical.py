"""Asking the planner what it would do if an index were there: by the extension HypoPG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import psycopg

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.estimated import Estimated
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.indexes import IndexDefinition
from performance.queries.analysis.plans import Plan, plan_of
from performance.queries.analysis.verifier import Indexes

ADD = """
SELECT indexrelid::bigint AS oid, indexname AS name, {schema}.hypopg_relation_size(indexrelid) AS bytes
FROM {schema}.hypopg_create_index(%s)
"""
UNKNOWN = {"gin", "gist"}  # access methods that HypoPG cannot simulate


class HypoPG:
    """Hypothetical indexes of this session alone; nothing is built and no lock is taken."""

    confidence = "verified"
    own_scale = False

    def __init__(self, database: Database, schema: str, rest: Estimated) -> None:
        self.database = database
        self.schema = schema
        self.rest = rest  # judges what HypoPG does not know: GIN
        self._known: dict[IndexDefinition, tuple[int, str]] = {}
        self._refused: set[IndexDefinition] = set()
        self._sizes: dict[IndexDefinition, int] = {}
        self._shown: frozenset[IndexDefinition] = frozenset()

    @classmethod
    def of(cls, database: Database, catalog: Catalog) -> HypoPG | None:
        """None where the extension is not installed in the database."""
        schema = database.extension("hypopg")
        return cls(database, schema, Estimated(database, catalog)) if schema else None

    def plan(self, sql: str, indexes: Indexes) -> Plan:
        self._show([index for index in indexes if index.method not in UNKNOWN])
        plan = plan_of(self.database.explain(sql))
        names = {name: index.name for index, (_oid, name) in self._known.items()}
        return self.rest.repriced(
            _renamed(plan, names), [index for index in indexes if index.method in UNKNOWN]
        )

    def confidence_of(self, index: IndexDefinition) -> str:
        return self.rest.confidence if index.method in UNKNOWN else self.confidence

    def possible(self, index: IndexDefinition) -> bool:
        if index.method in UNKNOWN:
            return self.rest.possible(index)
        if index in self._refused:
            return False
        return index in self._known or self._add(index)

    def size(self, index: IndexDefinition) -> int:
        if index.method in UNKNOWN:
            return self.rest.size(index)
        if index not in self._sizes:
            self._show([index])
        return self._sizes.get(index, 0)

    def _show(self, indexes: Iterable[IndexDefinition]) -> None:
        """Makes exactly these indexes exist."""
        wanted = frozenset(indexes)
        for index in self._shown - wanted:
            self._call("hypopg_drop_index(%s)", (self._known.pop(index)[0],))
        self._shown &= wanted
        for index in wanted - self._shown:
            self._add(index)

    def _add(self, index: IndexDefinition) -> bool:
        try:
            found = self.database.rows(ADD.format(schema=quoted(self.schema)), (index.unnamed,))
        except psycopg.Error:
            self._refused.add(index)
            return False
        self._known[index] = (found[0]["oid"], found[0]["name"])
        self._sizes[index] = int(found[0]["bytes"])
        self._shown |= {index}
        return True

    def _call(self, function: str, values: Sequence[object]) -> None:
        self.database.rows(f"SELECT {quoted(self.schema)}.{function}", values)

    def close(self) -> None:
        self._call("hypopg_reset()", ())
        self._known, self._shown = {}, frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _renamed(plan: Plan, names: dict[str, str]) -> Plan:
    """The plan with our names for HypoPG's."""
    children = tuple(_renamed(child, names) for child in plan.children)
    return replace(plan, index=names.get(plan.index, plan.index), children=children)
