"""What an index costs whoever writes: counted from the workload's own writing statements."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from performance.queries.analysis import parsing
from performance.queries.analysis.indexes import IndexDefinition
from performance.queries.analysis.parsing import Node
from performance.queries.analysis.statements import Statement

# Planner's cost units for one entry: a descent in the cache and its share of WAL and later reads.
ENTRY = {"btree": 0.5, "hash": 0.5, "gin": 3.0, "gist": 2.0, "brin": 0.02}


@dataclass(slots=True)
class Writes:
    """Rows written to each table while the workload was counted."""

    inserted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    updated: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def penalty(self, index: IndexDefinition) -> float:
        """Cost of keeping the index, in the planner's units, over the workload's time."""
        return self.entries(index) * ENTRY.get(index.method, 1.0)

    def entries(self, index: IndexDefinition) -> int:
        """Entries that the workload would have added to it."""
        changed = max((self.updated[index.table, name] for name in self._columns(index)), default=0)
        return self.inserted[index.table] + changed

    def blocks_hot(self, index: IndexDefinition) -> bool:
        """Whether updates that are heap-only today would have to touch every index."""
        return any(self.updated[index.table, name] for name in self._columns(index))

    def _columns(self, index: IndexDefinition) -> list[str]:
        return [*index.columns, *index.include]


def writes_of(statements: Iterable[Statement]) -> Writes:
    """Counts the inserts and updates among `statements`."""
    writes = Writes()
    for statement in statements:
        may = _MAY.search(statement.sql)
        tree = parsing.single(parsing.repaired(statement.sql)) if may else None
        if tree is not None:
            _count(writes, tree, max(statement.rows, statement.calls))
    return writes


def _count(writes: Writes, tree: Node, rows: int) -> None:
    for name, fields in parsing.walk(tree):
        table = fields.get("relation", {}).get("relname", "") if name in WRITING else ""
        if name == "InsertStmt":
            writes.inserted[table] += rows
        elif name == "UpdateStmt":
            for target in fields.get("targetList", []):
                writes.updated[table, target["ResTarget"].get("name", "")] += rows


_MAY = re.compile(r"\binsert\b|\bupdate\b", re.IGNORECASE)
WRITING = {"InsertStmt", "UpdateStmt"}
