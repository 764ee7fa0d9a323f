"""What a finding is, and the register of those who look for them: one kind a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.pools import Pool
from performance.queries.analysis.statements import Statement
from performance.queries.analysis.workload import Asked

if TYPE_CHECKING:
    from performance.queries.analysis.advisor import Suggestion


class Severity(StrEnum):
    """How much it matters; the order is that of the words below."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that should be otherwise, and what to do about it. Holds no value of any row."""

    kind: str
    severity: Severity
    about: str  # table, index, sequence or statement
    said: str
    remedy: str
    sql: str = ""  # that does it, where one statement can
    statement: str = ""  # id of the statement that it is about
    weight: float = 0.0  # orders findings of one severity


@dataclass(slots=True, kw_only=True)
class Facts:
    """All that the finders may look at."""

    database: Database
    catalog: Catalog
    statements: list[Statement]
    asked: list[Asked] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    analyzed: bool = False  # whether plans were measured by running them
    pool: Pool | None = None  # None where no process measured one

    @property
    def seconds(self) -> float:
        """Time of all statements together."""
        return sum(statement.seconds for statement in self.statements) or 1.0

    def share(self, statement: Statement) -> float:
        """The statement's part of the time of all."""
        return statement.seconds / self.seconds


Finder = Callable[[Facts], Iterator[Finding]]
finders: dict[str, Finder] = {}


def finder(kind: str) -> Callable[[Finder], Finder]:
    """Registers a generator of findings of one kind."""

    def register(function: Finder) -> Finder:
        finders[kind] = function
        return function

    return register


def severity(value: float, *, warning: float, critical: float) -> Severity:
    """The severity of a value that is worse the greater it is."""
    if value >= critical:
        return Severity.CRITICAL
    return Severity.WARNING if value >= warning else Severity.INFO


def megabytes(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
