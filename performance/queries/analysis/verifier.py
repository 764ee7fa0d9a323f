"""What every way of judging an index has in common."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from performance.queries.analysis.indexes import IndexDefinition
from performance.queries.analysis.plans import Plan

Indexes = Sequence[IndexDefinition]


class Verifier(Protocol):
    """A way of knowing what a statement would cost with indexes that are not there."""

    confidence: str
    own_scale: bool  # whether its costs compare with its own alone, not with the database's

    def plan(self, sql: str, indexes: Indexes) -> Plan:
        """The plan of `sql` as if `indexes` were there. Raises NotPlanned."""

    def possible(self, index: IndexDefinition) -> bool:
        """Whether PostgreSQL could make the index and this verifier can judge it."""

    def size(self, index: IndexDefinition) -> int:
        """Its size in bytes, about."""

    def confidence_of(self, index: IndexDefinition) -> str:
        """How sure this verifier can be of one index."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
