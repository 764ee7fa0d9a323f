"""Index suggestions with their evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.existing import superseded
from performance.queries.analysis.indexes import IndexDefinition
from performance.queries.analysis.selection import CLEAR, Selection
from performance.queries.analysis.workload import Asked, Workload
from performance.queries.analysis.writes import Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What one statement gains by an index: cost of a call, before and after."""

    statement: str
    calls: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An index that clearly helps, with the evidence that it does."""

    index: IndexDefinition
    confidence: str  # verified, sampled or estimated
    gains: list[Gain]
    plan_before: dict[str, Any]
    plan_after: dict[str, Any]
    size: int  # bytes
    entries: int  # that the workload's writes would have added
    blocks_hot: bool
    supersedes: list[str] = field(default_factory=list)

    @property
    def cost_before(self) -> float:
        return sum(gain.calls * gain.before for gain in self.gains)

    @property
    def cost_after(self) -> float:
        return sum(gain.calls * gain.after for gain in self.gains)

    @property
    def ratio(self) -> float:
        """Cost after, as a share of the cost before, of all statements that gain."""
        return self.cost_after / self.cost_before if self.cost_before else 1.0


def suggestions(workload: Workload, catalog: Catalog, writes: Writes) -> list[Suggestion]:
    """The indexes that the workload wants, those that save most first."""
    chosen = Selection(workload, catalog, writes).choose()
    found = [_evidence(index, chosen, workload, catalog, writes) for index in chosen]
    return sorted(
        (s for s in found if s.gains), key=lambda s: s.cost_before - s.cost_after, reverse=True
    )


def _evidence(
    index: IndexDefinition,
    chosen: list[IndexDefinition],
    workload: Workload,
    catalog: Catalog,
    writes: Writes,
) -> Suggestion:
    others = [other for other in chosen if other != index]
    gaining = _gaining(index, chosen, others, workload)
    gains = [
        Gain(statement=item.statement.id, calls=item.statement.calls, before=before, after=after)
        for item, before, after in gaining
    ]
    before, after = _plans(gaining, chosen, others, workload)
    return Suggestion(
        index=index,
        confidence=workload.verifier.confidence_of(index),
        gains=gains,
        plan_before=before,
        plan_after=after,
        size=workload.verifier.size(index),
        entries=writes.entries(index),
        blocks_hot=writes.blocks_hot(index),
        supersedes=superseded(index, catalog),
    )


def _gaining(
    index: IndexDefinition,
    chosen: list[IndexDefinition],
    others: list[IndexDefinition],
    workload: Workload,
) -> list[tuple[Asked, float, float]]:
    """The statements that the index helps beside the others, those that gain most first."""
    found = []
    for item in workload.touching(index):
        before, after = workload.cost(item, others), workload.cost(item, chosen)
        if after < before * (CLEAR + 1) / 2:
            found.append((item, before, after))
    return sorted(found, key=lambda one: one[0].statement.calls * (one[2] - one[1]))


def _plans(
    gaining: list[tuple[Asked, float, float]],
    chosen: list[IndexDefinition],
    others: list[IndexDefinition],
    workload: Workload,
) -> tuple[dict[str, Any], dict[str, Any]]:
    if not gaining:
        return {}, {}
    variant = gaining[0][0].variants[0].sql
    before = workload.verifier.plan(variant, others).shown()
    after = workload.verifier.plan(variant, chosen).shown()
    return before, after
