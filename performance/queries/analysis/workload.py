"""A workload made ready to ask the planner about: costs are remembered, since they are asked often."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from performance.queries.analysis import parsing
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.concrete import Variant, variants
from performance.queries.analysis.database import Database
from performance.queries.analysis.exceptions import NotPlanned
from performance.queries.analysis.indexes import IndexDefinition
from performance.queries.analysis.plans import Plan, plan_of
from performance.queries.analysis.statements import Statement
from performance.queries.analysis.uses import Use, uses_of
from performance.queries.analysis.verifier import Indexes, Verifier

WEIGHTS = {"typical": 0.6, "worst": 0.3, "rare": 0.1}


@dataclass(slots=True, kw_only=True)
class Asked:
    """One statement with the values that it is planned with, and its plans as things are."""

    statement: Statement
    variants: list[Variant] = field(repr=False)
    plans: list[Plan]
    uses: list[Use]

    @property
    def tables(self) -> set[tuple[str, str]]:
        return {(use.table.schema, use.table.name) for use in self.uses}

    @property
    def plan(self) -> Plan:
        return self.plans[0]


@dataclass(slots=True)
class Workload:
    """Statements, and what they cost with a set of indexes."""

    asked: list[Asked]
    verifier: Verifier
    skipped: list[tuple[str, str]] = field(default_factory=list)  # statement's id, reason
    _costs: dict[tuple[str, frozenset[IndexDefinition]], float] = field(default_factory=dict)

    def cost(self, item: Asked, indexes: Indexes) -> float:
        """What one call of the item costs, over the values that it is planned with."""
        near = frozenset(i for i in indexes if (i.schema, i.table) in item.tables)
        key = (item.statement.id, near)
        if key not in self._costs:
            self._costs[key] = self._planned(item, sorted(near, key=lambda i: i.definition))
        return self._costs[key]

    def _planned(self, item: Asked, indexes: Indexes) -> float:
        total = weights = 0.0
        for variant, plan in zip(item.variants, item.plans, strict=True):
            weight = WEIGHTS.get(variant.label, 1.0)
            total += weight * self._one(variant, plan, indexes)
            weights += weight
        return total / weights

    def _one(self, variant: Variant, plan: Plan, indexes: Indexes) -> float:
        if not indexes and not self.verifier.own_scale:
            return plan.total_cost
        try:
            return self.verifier.plan(variant.sql, indexes).total_cost
        except NotPlanned:
            return plan.total_cost

    def touching(self, index: IndexDefinition) -> list[Asked]:
        return [item for item in self.asked if (index.schema, index.table) in item.tables]

    def total(self, items: Iterable[Asked], indexes: Indexes) -> float:
        """Cost of all the calls of these items."""
        return sum(item.statement.calls * self.cost(item, indexes) for item in items)


def prepare(
    statements: list[Statement],
    database: Database,
    catalog: Catalog,
    verifier: Verifier,
    progress: Callable[[int], None] = lambda done: None,
) -> Workload:
    """Plans every statement as things are; what cannot be planned is listed with its reason."""
    workload = Workload([], verifier)
    for done, statement in enumerate(statements, start=1):
        try:
            workload.asked.append(_asked(statement, database, catalog))
        except NotPlanned as error:
            workload.skipped.append((statement.id, error.reason))
        progress(done)
    return workload


def _asked(statement: Statement, database: Database, catalog: Catalog) -> Asked:
    texts = [Variant("sampled", sql) for sql in statement.samples if parsing.single(sql)]
    texts = texts or variants(statement.sql, database, catalog)
    plans = [plan_of(database.explain(variant.sql)) for variant in texts]
    uses = [use for plan in plans for use in uses_of(plan, catalog)]
    for use in uses:
        use.constants = texts[0].label == "as written"
    return Asked(statement=statement, variants=texts, plans=plans, uses=uses)
