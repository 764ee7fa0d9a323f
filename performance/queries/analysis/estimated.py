"""Working out a plan's cost with an index that is not there, where nothing can be asked about it.

The plan as things are is taken, and each place where an index could serve is priced anew: a scan, the
inner side of a join, a sort below a LIMIT. What the planner would otherwise change is not foreseen, so
what comes of it is called "estimated".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import Self

from performance.queries.analysis import parsing
from performance.queries.analysis.catalog import Catalog, Table
from performance.queries.analysis.costs import ENTRY, FILL, PAGE, Prices, Reading, cost
from performance.queries.analysis.database import Database
from performance.queries.analysis.indexes import IndexDefinition, Key
from performance.queries.analysis.plans import Plan, plan_of
from performance.queries.analysis.predicates import Ask, Predicate
from performance.queries.analysis.selectivity import Selectivity, condition
from performance.queries.analysis.uses import EXTREME, Use, uses_of
from performance.queries.analysis.verifier import Indexes

TREE = {Ask.EQUAL, Ask.RANGE, Ask.NULL, Ask.PREFIX}
VOLATILE = "SELECT count(*) = 0 OR bool_or(provolatile <> 'i') FROM pg_proc WHERE proname = %s"
UNSTABLE_TYPES = {"date", "timestamp", "timestamptz", "time", "timetz", "interval"}
JOINS = {"Hash Join", "Merge Join", "Nested Loop"}
THROUGH = {"Hash", "Sort", "Materialize", "Memoize", "Gather", "Gather Merge"}


class Estimated:
    """Prices indexes by the planner's formulas and its own estimates of rows."""

    confidence = "estimated"
    own_scale = False

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self.database = database
        self.catalog = catalog
        self.prices = Prices.of(database)
        self.selectivity = Selectivity(database, catalog)
        self._plans: dict[str, Plan] = {}
        self._uses: dict[str, dict[str, Use]] = {}
        self._possible: dict[IndexDefinition, bool] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._plans.clear()
        self._uses.clear()

    def plan(self, sql: str, indexes: Indexes) -> Plan:
        if sql not in self._plans:
            self._plans[sql] = plan_of(self.database.explain(sql))
        plan = self._plans[sql]
        if sql not in self._uses:
            self._uses[sql] = {use.alias: use for use in uses_of(plan, self.catalog)}
        return Repricing(self, self._uses[sql], list(indexes)).node(plan) if indexes else plan

    def confidence_of(self, index: IndexDefinition) -> str:
        return self.confidence

    def repriced(self, plan: Plan, indexes: Indexes) -> Plan:
        """`plan` with the indexes put in wherever they make it cheaper."""
        uses = {use.alias: use for use in uses_of(plan, self.catalog)}
        return Repricing(self, uses, list(indexes)).node(plan) if indexes else plan

    def possible(self, index: IndexDefinition) -> bool:
        if index not in self._possible:
            self._possible[index] = self._buildable(index)
        return self._possible[index]

    def _buildable(self, index: IndexDefinition) -> bool:
        if any(key.operators == "gin_trgm_ops" for key in index.keys):
            return bool(self.database.extension("pg_trgm"))
        return all(key.plain or self._immutable(key.target) for key in index.keys)

    def _immutable(self, expression: str) -> bool:
        """Whether an index may be on it; where that depends on types, no."""
        for name, fields in parsing.walk(parsing.parsed(f"SELECT {expression}") or []):
            if name == "FuncCall":
                called = fields["funcname"][-1]["String"]["sval"]
                if self.database.value(VOLATILE, (called,)):
                    return False
            elif name == "TypeCast":
                cast = fields["typeName"]["names"][-1]["String"]["sval"]
                if cast in UNSTABLE_TYPES:
                    return False
        return True

    def size(self, index: IndexDefinition) -> int:
        table = self.catalog.table(index.schema, index.table)
        if table is None:
            return 0
        rows = self.rows_of(index, table)
        if index.method == "brin":
            return int(max(3, table.pages / 128 * 0.01) * PAGE)
        return int(max(2, rows * (self.width(index, table) + ENTRY) / (PAGE * FILL)) * PAGE)

    def width(self, index: IndexDefinition, table: Table) -> float:
        """Bytes of a key with what is included."""
        columns = self.catalog.columns(table.oid)
        names = [*index.columns, *index.include]
        return sum((columns[n].avg_width or 16) if n in columns else 16 for n in names)

    def rows_of(self, index: IndexDefinition, table: Table) -> float:
        if not index.where:
            return table.rows
        return self.selectivity.asked(table, index.where)


class Repricing:
    """One plan, priced anew from the leaves up."""

    def __init__(
        self, estimated: Estimated, uses: dict[str, Use], indexes: list[IndexDefinition]
    ) -> None:
        self.estimated = estimated
        self.uses = uses
        self.indexes = indexes

    def node(self, plan: Plan, limit: float | None = None) -> Plan:
        """The node with its cheapest way; `limit` is how many of its rows are wanted."""
        if plan.table and plan.alias in self.uses and plan.kind != "ModifyTable":
            return self._scan(plan, self.uses[plan.alias])
        if plan.kind == "Limit":
            limit = plan.rows
        ways = [self._same(plan, limit)]
        if plan.kind in JOINS and len(plan.children) >= 2:
            ways += self._probes(plan)
        if plan.kind in {"Sort", "Incremental Sort", "Gather Merge"} and limit is not None:
            ways += self._ordered(plan, limit)
        if (
            plan.kind == "Aggregate"
            and any(map(EXTREME.match, plan.output))
            and not plan.group_keys
        ):
            ways += self._ordered(plan.children[0], 1)
        return min(ways, key=lambda way: way.total_cost)

    def _same(self, plan: Plan, limit: float | None) -> Plan:
        """The same node over children that may have become cheaper."""
        passes = plan.kind in {
            "Limit",
            "Result",
            "Subquery Scan",
            "Gather Merge",
            "Gather",
            "Unique",
        }
        children = [self.node(child, limit if passes else None) for child in plan.children]
        saved = sum(
            (old.total_cost - new.total_cost) * self._times(plan, at)
            for at, (old, new) in enumerate(zip(plan.children, children, strict=True))
        )
        cost_now = max(
            plan.total_cost - saved, max((c.total_cost for c in children), default=0.0), 0.01
        )
        if plan.kind == "Limit" and children and children[0].total_cost < plan.total_cost:
            cost_now = children[0].total_cost
        return replace(plan, total_cost=min(plan.total_cost, cost_now), children=tuple(children))

    @staticmethod
    def _times(plan: Plan, at: int) -> float:
        """How often a child is run: the inner side of a nested loop, once for each outer row."""
        child = plan.children[at]
        if plan.kind == "Nested Loop" and at == 1 and child.kind not in {"Materialize", "Memoize"}:
            return max(plan.children[0].rows, 1.0)
        if child.relation == "SubPlan" and "hashed" not in str(plan.conditions):
            return max(plan.rows, 1.0)
        return 1.0

    def _scan(self, plan: Plan, use: Use) -> Plan:
        children = tuple(self.node(child) for child in plan.children)
        fixed = _fixed(use)
        found = [(self._price(i, use, fixed), i) for i in self._on(use) if self._matches(i, fixed)]
        found += self._either(use)
        best = min(found, key=lambda one: one[0], default=None)
        saved = sum(
            (old.total_cost - new.total_cost)
            * max(1.0, use.table.rows if old.relation == "SubPlan" else 1)
            for old, new in zip(plan.children, children, strict=True)
            if old.relation == "SubPlan"
        )
        now = replace(plan, total_cost=max(plan.total_cost - saved, 0.01), children=children)
        if best is None or best[0] >= now.total_cost:
            return now
        return replace(
            plan,
            kind="Index Scan",
            index=best[1].name,
            total_cost=best[0],
            startup_cost=0.0,
            children=(),
        )

    def _either(self, use: Use) -> list[tuple[float, IndexDefinition]]:
        """An OR is served where every arm has its index."""
        arms: dict[tuple[int, int], list[Predicate]] = {}
        for predicate in use.predicates:
            if predicate.arm and not predicate.joins:
                arms.setdefault(predicate.arm, []).append(predicate)
        found = []
        for _number, group in itertools.groupby(sorted(arms), key=lambda arm: arm[0]):
            prices = []
            for arm in group:
                ways = [
                    self._price(i, use, arms[arm])
                    for i in self._on(use)
                    if self._matches(i, arms[arm])
                ]
                prices.append(min(ways, default=float("inf")))
            if len(prices) > 1 and self._on(use):
                found.append((sum(prices), self._on(use)[0]))
        return found

    def _on(self, use: Use) -> list[IndexDefinition]:
        return [
            i for i in self.indexes if (i.schema, i.table) == (use.table.schema, use.table.name)
        ]

    def _matches(self, index: IndexDefinition, predicates: list[Predicate]) -> list[Predicate]:
        """The conditions that an index serves: equalities from its first key on, then one range."""
        if index.where and not any(_where(p) == index.where for p in predicates):
            return []
        served: list[Predicate] = []
        for key in index.keys:
            on = [p for p in predicates if p.target == key.target and self._serves(index, key, p)]
            served += on
            if not any(p.ask in (Ask.EQUAL, Ask.NULL) for p in on):
                break
        return served or [p for p in predicates if index.where and _where(p) == index.where]

    @staticmethod
    def _serves(index: IndexDefinition, key: Key, predicate: Predicate) -> bool:
        if index.method == "gin":
            wanted = {Ask.WITHIN, Ask.PREFIX} if "trgm" in key.operators else {Ask.MEMBER}
            return predicate.ask in wanted
        if predicate.ask is Ask.PREFIX:
            return bool(key.operators)
        return predicate.ask is Ask.EQUAL or (predicate.ask in TREE and not key.operators)

    def _price(self, index: IndexDefinition, use: Use, predicates: list[Predicate]) -> float:
        served = self._matches(index, predicates)
        wholly = [
            p for p in predicates if p in served or (index.where and _where(p) == index.where)
        ]
        entries = self.estimated.selectivity.rows(use.table, wholly)
        if index.method == "brin":
            entries = max(entries, 128 * use.table.rows / max(use.table.pages, 1))
        return self._cost(index, use, entries, entries, len(served))

    def _cost(
        self, index: IndexDefinition, use: Use, entries: float, fetched: float, conditions: int,
        *, ordered: bool = False,
    ) -> float:  # fmt: skip
        table = use.table
        covered = set(use.needed) <= {*index.columns, *index.include} and bool(use.needed)
        visible = table.visible / max(table.pages, 1)
        first = self.estimated.catalog.column(table, index.keys[0].target)
        reading = Reading(
            table_rows=max(self.estimated.rows_of(index, table), 1.0),
            table_pages=max(table.pages, 1),
            entries=entries,
            fetched=fetched,
            width=self.estimated.width(index, table),
            correlation=((first.correlation or 0.0) if first else 0.0)
            * (0.75 if len(index.keys) > 1 else 1),
            heap_share=1.0 - visible if covered and index.method == "btree" else 1.0,
            conditions=conditions,
            ordered=ordered,
        )
        return cost(reading, self.estimated.prices)

    def _probes(self, plan: Plan) -> list[Plan]:
        """A nested loop that finds each inner row by an index on what joins."""
        ways = []
        for inner, outer in ((1, 0), (0, 1)):
            scan = _single_scan(plan.children[inner])
            if scan is None or scan.alias not in self.uses:
                continue
            use = self.uses[scan.alias]
            predicates = [p for p in use.predicates if p.arm is None]
            driving = self.node(plan.children[outer])
            for index in self._on(use):
                served = self._matches(index, predicates)
                if not any(p.joins for p in served):
                    continue
                probe = self._price(index, use, predicates)
                total = driving.total_cost + max(driving.rows, 1) * probe + plan.rows * 0.01
                looked = replace(
                    scan, kind="Index Scan", index=index.name, total_cost=probe, children=()
                )
                ways.append(
                    replace(
                        plan,
                        kind="Nested Loop",
                        total_cost=total,
                        startup_cost=0.0,
                        children=(driving, looked),
                    )
                )
        return ways

    def _ordered(self, plan: Plan, limit: float) -> list[Plan]:
        """No sort: rows come in order from an index, and no more of them than are wanted."""
        scan = _single_scan(plan)
        if scan is None or scan.alias not in self.uses:
            return []
        use = self.uses[scan.alias]
        fixed = _fixed(use)
        ways = []
        for index in self._on(use):
            served = self._order_served(index, use, fixed)
            if served is None:
                continue
            within = self.estimated.selectivity.rows(use.table, served)
            matching = self.estimated.selectivity.rows(use.table, fixed) if fixed else within
            read = min(within, max(limit, 1) * max(within / max(matching, 1), 1.0))
            price = self._cost(index, use, read, read, len(served), ordered=True)
            ways.append(
                replace(scan, kind="Index Scan", index=index.name, total_cost=price, children=())
            )
        return ways

    def _order_served(
        self, index: IndexDefinition, use: Use, fixed: list[Predicate]
    ) -> list[Predicate] | None:
        """The equalities before the order, None where the index has not the order."""
        if index.method != "btree" or (
            index.where and not any(_where(p) == index.where for p in fixed)
        ):
            return None
        equal = {p.target: p for p in fixed if p.ask in (Ask.EQUAL, Ask.NULL) and not p.many}
        served = [
            equal[key.target]
            for key in itertools.takewhile(lambda k: k.target in equal, index.keys)
        ]
        served += [p for p in fixed if index.where and _where(p) == index.where and p not in served]
        start = sum(
            key.target in equal
            for key in itertools.takewhile(lambda k: k.target in equal, index.keys)
        )
        rest = index.keys[start:]
        for order in use.sorts:
            wanted = [key for key in order if key.target not in equal]
            if wanted and len(rest) >= len(wanted) and _same_way(rest, wanted):
                return served
        return None


def _fixed(use: Use) -> list[Predicate]:
    """The conditions whose value is known when a scan of the table begins."""
    return [p for p in use.predicates if (not p.joins or p.bound) and p.arm is None]


def _same_way(keys: Iterable[Key], wanted: list[Key]) -> bool:
    """Whether keys give the order wanted, read forwards or backwards."""
    pairs = list(zip(keys, wanted, strict=False))
    if any(key.target != want.target for key, want in pairs):
        return False
    forwards = all(_ends(key) == _ends(want) for key, want in pairs)
    backwards = all(_ends(key) == tuple(not end for end in _ends(want)) for key, want in pairs)
    return forwards or backwards


def _ends(key: Key) -> tuple[bool, ...]:
    """(descending, nulls first)."""
    return key.descending, key.descending if key.nulls_first is None else key.nulls_first


def _single_scan(plan: Plan) -> Plan | None:
    """The scan of the one table below a node, through nodes that hand its rows on."""
    while not plan.table:
        if plan.kind not in THROUGH | {"Incremental Sort"} or len(plan.children) != 1:
            return None
        plan = plan.children[0]
    return None if plan.kind == "ModifyTable" else plan


def _where(predicate: Predicate) -> str:
    return condition(predicate)
