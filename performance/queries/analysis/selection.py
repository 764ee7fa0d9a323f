"""Choosing the indexes of a workload together: each must clearly help beside those already chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from performance.queries.analysis.candidates import Candidate, candidates_of
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.existing import covers
from performance.queries.analysis.indexes import IndexDefinition
from performance.queries.analysis.statements import Statement
from performance.queries.analysis.workload import Asked, Workload
from performance.queries.analysis.writes import Writes

LEAST_COST = 25.0  # a table that is read for less needs no index
CLEAR = 0.67  # a statement must come down to this share of its cost
SAVES = 15.0  # cost units that a call must save
QUICK = 0.001  # seconds: a statement that was measured to take less needs no index
ALIKE = 0.05  # what differs by less is taken for equal
UNIT = 1.0  # cost units of a call that nobody would notice
MOST = 20  # indexes chosen at once


def quick(statement: Statement) -> bool:
    """Whether it was measured to take so little that nothing about it needs mending."""
    return bool(statement.seconds) and statement.mean < QUICK


@dataclass(slots=True)
class Selection:
    """Finds the set greedily: the best candidate first, judged anew beside those chosen."""

    workload: Workload
    catalog: Catalog
    writes: Writes
    _gains: dict[tuple[Candidate, frozenset[IndexDefinition]], float] = field(default_factory=dict)

    def choose(self) -> list[IndexDefinition]:
        pool = self._useful()
        chosen: list[IndexDefinition] = []
        while pool and len(chosen) < MOST:
            best = self._best(pool, chosen)
            if best is None:
                break
            chosen += [index for index in best if index not in chosen]
            pool = [candidate for candidate in pool if not set(candidate) <= set(chosen)]
        return self._simplified(self._needed(chosen))

    def _useful(self) -> list[Candidate]:
        """Candidates by which some statement saves, if only beside others clearly."""
        found: dict[Candidate, None] = {}
        for item in self.workload.asked:
            if quick(item.statement):
                continue
            for candidate in self._candidates(item):
                if candidate not in found and self._saves(item, candidate):
                    found[candidate] = None
        return list(found)

    def _candidates(self, item: Asked) -> Iterable[Candidate]:
        seen: dict[Candidate, None] = {}
        for use in item.uses:
            if use.cost >= LEAST_COST:
                seen.update(dict.fromkeys(candidates_of(use, self.catalog)))
        possible = self.workload.verifier.possible
        return [
            candidate
            for candidate in seen
            if all(not covers(i, self.catalog) and possible(i) for i in candidate)
        ]

    def _saves(self, item: Asked, candidate: Candidate) -> bool:
        return self.workload.cost(item, ()) - self.workload.cost(item, candidate) >= SAVES

    def _helps(self, item: Asked, candidate: Candidate, chosen: Iterable[IndexDefinition]) -> bool:
        if quick(item.statement):
            return False
        before = self.workload.cost(item, [*chosen])
        after = self.workload.cost(item, [*chosen, *candidate])
        return after <= before * CLEAR and before - after >= SAVES

    def _best(self, pool: list[Candidate], chosen: list[IndexDefinition]) -> Candidate | None:
        """The candidate that gains most; of those that gain alike, the least burden."""
        gains = {candidate: self._gain(candidate, chosen) for candidate in pool}
        pool = list(pool)
        while pool:
            most = max(pool, key=lambda candidate: gains[candidate])
            if gains[most] <= 0:
                return None
            floor = gains[most] - self._slack(most, chosen)
            alike = [candidate for candidate in pool if gains[candidate] >= floor]
            for candidate in sorted(alike, key=self._burden):
                touched = self._touching(candidate)
                if any(self._helps(item, candidate, chosen) for item in touched):
                    return candidate
            pool = [candidate for candidate in pool if candidate not in alike]
        return None

    def _slack(self, best: Candidate, chosen: list[IndexDefinition]) -> float:
        """What another candidate may gain less than the best and still be taken for as good."""
        gaining = [item for item in self._touching(best) if self._helps(item, best, chosen)]
        left = self.workload.total(gaining, [*chosen, *best])
        return ALIKE * left + sum(item.statement.calls for item in gaining) * UNIT

    def _burden(self, candidate: Candidate) -> tuple[float, list[tuple[int, ...]], str]:
        pages = sum(self.workload.verifier.size(index) for index in candidate) // (1 << 20)
        partial = all(index.where for index in candidate)
        return (
            len(candidate) - partial,
            [index.burden for index in candidate],
            f"{pages}{candidate}",
        )

    def _touching(self, candidate: Iterable[IndexDefinition]) -> list[Asked]:
        tables = {(index.schema, index.table) for index in candidate}
        return [item for item in self.workload.asked if item.tables & tables]

    def _gain(self, candidate: Candidate, chosen: list[IndexDefinition]) -> float:
        """What the workload saves by it; remembered while nothing near it is chosen."""
        items = self._touching(candidate)
        tables = {table for item in items for table in item.tables}
        near = frozenset(index for index in chosen if (index.schema, index.table) in tables)
        if (candidate, near) not in self._gains:
            self._gains[candidate, near] = self._gained(candidate, items, chosen)
        return self._gains[candidate, near]

    def _gained(
        self, candidate: Candidate, items: list[Asked], chosen: list[IndexDefinition]
    ) -> float:
        before = self.workload.total(items, chosen)
        after = self.workload.total(items, [*chosen, *candidate])
        return before - after - sum(self.writes.penalty(index) for index in candidate)

    def _needed(self, chosen: list[IndexDefinition]) -> list[IndexDefinition]:
        """Without those that later choices made superfluous."""
        for index in list(chosen):
            others = [other for other in chosen if other != index]
            if self._as_good(chosen, others, [index]):
                chosen = others
        return chosen

    def _as_good(
        self,
        now: list[IndexDefinition],
        then: list[IndexDefinition],
        changed: list[IndexDefinition],
    ) -> bool:
        """Whether no statement loses anything that matters by the change."""
        return all(
            self.workload.cost(item, then) <= self.workload.cost(item, now) * (1 + ALIKE) + 2.0
            for item in self._touching(changed)
        )

    def _simplified(self, chosen: list[IndexDefinition]) -> list[IndexDefinition]:
        """With every key and included column gone that nobody gains by."""
        for at, index in enumerate(chosen):
            for simpler in _simpler(index):
                then = [*chosen[:at], simpler, *chosen[at + 1 :]]
                if simpler in chosen or covers(simpler, self.catalog):
                    continue
                if self.workload.verifier.possible(simpler) and self._as_good(
                    chosen, then, [index]
                ):
                    chosen = then
                    break
        return self._needed(list(dict.fromkeys(chosen)))


def _simpler(index: IndexDefinition) -> list[IndexDefinition]:
    """Lesser forms of an index, the least first."""
    found = [replace(index, keys=index.keys[:n]) for n in range(1, len(index.keys))]
    bare = [replace(i, include=()) for i in [*found, index]] if index.include else []
    plain = [
        replace(i, keys=tuple(replace(key, descending=False, nulls_first=None) for key in i.keys))
        for i in [*bare, *found, index]
        if all(key.descending for key in i.keys) or len(i.keys) == 1
    ]
    return [i for i in dict.fromkeys([*plain, *bare, *found]) if i != index]
