"""EXPLAIN's JSON as a tree of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from performance.queries.analysis.exceptions import NotPlanned
from performance.queries.analysis.literals import without_literals

CONDITIONS = (
    "Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "One-Time Filter",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One node; conditions are as PostgreSQL wrote them, with values: `shown()` has none."""

    kind: str
    total_cost: float
    startup_cost: float = 0.0
    rows: float = 0.0
    width: int = 0
    schema: str = ""
    table: str = ""
    alias: str = ""
    index: str = ""
    conditions: dict[str, str] = field(default_factory=dict)
    sort_keys: tuple[str, ...] = ()
    group_keys: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    relation: str = ""  # to the parent: Outer, Inner, SubPlan, InitPlan...
    extra: dict[str, Any] = field(default_factory=dict)  # what ANALYZE measured
    children: tuple[Plan, ...] = ()

    def walk(self) -> Iterator[Plan]:
        """This node and all below it, parents first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)

    def shown(self) -> dict[str, Any]:
        """The tree without any literal, as it may be stored, logged and shown."""
        node: dict[str, Any] = {
            "kind": self.kind,
            "cost": round(self.total_cost, 2),
            "rows": round(self.rows),
        }
        if self.table:
            node["on"] = self.table
        if self.index:
            node["index"] = self.index
        conditions = {name: without_literals(text) for name, text in self.conditions.items()}
        if self.sort_keys:
            conditions["Sort Key"] = without_literals(", ".join(self.sort_keys))
        if conditions:
            node["conditions"] = conditions
        if self.extra:
            node["measured"] = self.extra
        if self.children:
            node["children"] = [child.shown() for child in self.children]
        return node


MEASURED = {
    "Actual Rows": "rows", "Actual Loops": "loops", "Rows Removed by Filter": "removed",
    "Sort Method": "sort", "Sort Space Used": "sort_kb", "Sort Space Type": "sort_space",
    "Shared Hit Blocks": "hit", "Shared Read Blocks": "read", "Temp Written Blocks": "temp",
}  # fmt: skip


DEEPEST = 200
"""Levels of a plan that is looked at: trees are walked by recursion."""


def plan_of(found: dict[str, Any], depth: int = 0) -> Plan:
    """The tree of EXPLAIN's answer, or of its "Plan" part. Raises NotPlanned on one that is too deep."""
    if depth > DEEPEST:
        raise NotPlanned(f"the plan has more than {DEEPEST} levels")
    node = found.get("Plan", found)
    return Plan(
        kind=node["Node Type"],
        total_cost=float(node.get("Total Cost", 0)),
        startup_cost=float(node.get("Startup Cost", 0)),
        rows=float(node.get("Plan Rows", 0)),
        width=int(node.get("Plan Width", 0)),
        schema=node.get("Schema", ""),
        table=node.get("Relation Name", ""),
        alias=node.get("Alias", ""),
        index=node.get("Index Name", ""),
        conditions={name: node[name] for name in CONDITIONS if name in node},
        sort_keys=tuple(node.get("Sort Key", ())),
        group_keys=tuple(node.get("Group Key", ())),
        output=tuple(node.get("Output", ())),
        relation=node.get("Parent Relationship", ""),
        extra={ours: node[theirs] for theirs, ours in MEASURED.items() if theirs in node},
        children=tuple(plan_of(child, depth + 1) for child in node.get("Plans", ())),
    )
