"""What one scope saw of one SQL text. Values live here alone: in memory, and only for minutes."""

from __future__ import annotations

import re
from typing import Any

from performance.queries import call_sites
from performance.queries.call_sites import Site

EARLY = 5
"""The first runs of a SQL text in a scope, whose values and lines tell whether it is a loop."""

_WRITES = re.compile(
    r"[\s(]*(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE|CALL|COPY"
    r"|WITH\b.*?\b(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO))\b",
    re.IGNORECASE | re.DOTALL,
)


class Statement:
    """One SQL text in one scope.

    `runs` alternates nanoseconds and rows (-1: unknown); adding to it is one step of the
    interpreter, so threads that share a scope lose nothing. `worst` and its values are of a run that
    went well. `site` is the line of the slow run or of the first one, `loop` the line that ran it twice
    among its early repeats: then it is a loop's.
    """

    __slots__ = (
        *("alias", "sql", "many", "runs", "batched", "errors", "worst", "worst_params", "writes"),
        *("early", "early_params", "early_writes", "early_lines", "site", "loop", "is_loop"),
        *("late", "correlation_id", "worst_failed"),
    )

    def __init__(self, sql: str, alias: str, took: int, params: Any, *, many: bool = False) -> None:
        self.sql = sql
        self.alias = alias
        self.many = many
        self.writes = sql[:7] != "SELECT " and _WRITES.match(sql) is not None
        self.runs: list[int] = []
        self.batched = 0  # statements that executemany() sent beyond one a call
        self.errors: dict[str, int] = {}
        self.worst = took
        self.worst_params = params
        self.worst_failed = -1
        self.early = 0 if many else EARLY - 1
        self.early_params = [params]
        self.early_writes = [0]
        self.early_lines: list[Any] = []
        self.site: Site | None = None
        self.loop: Site | None = None
        self.is_loop = False
        self.late = False
        self.correlation_id = ""

    @property
    def count(self) -> int:
        """Statements that the server was sent."""
        return len(self.runs) // 2 + self.batched

    @property
    def nanoseconds(self) -> int:
        return sum(self.runs[::2])

    @property
    def slowest(self) -> int:
        """Nanoseconds of its slowest run, were it one that failed: a timeout."""
        return max(self.worst, self.worst_failed)

    @property
    def rows(self) -> int:
        return sum(rows for rows in self.runs[1::2] if rows > 0)

    def note(self, took: int, params: Any, writes: int, *, slow: bool) -> None:
        """A run that is among the early ones or slower than those before.

        `writes` is how many statements of the scope have changed something until now.
        """
        if took > self.worst:
            self.worst = took
            self.worst_params = params
        if slow and self.site is None:
            self.locate()
        if self.early > 0:
            self._note_early(params, writes)

    def _note_early(self, params: Any, writes: int) -> None:
        self.early -= 1
        self.early_params.append(params)
        self.early_writes.append(writes)
        line = call_sites.key()
        if len(self.early_params) > 2 and line in self.early_lines:
            self.is_loop, self.loop, self.early = True, call_sites.here(), 0
            self.correlation_id = call_sites.correlation_id()
        self.early_lines.append(line)

    def locate(self) -> None:
        """Remembers the application's line that runs it now."""
        self.site = call_sites.here()
        self.correlation_id = call_sites.correlation_id()

    def forget(self) -> None:
        """Its only run is none that tells of a loop: it failed, and its retry is no repetition."""
        self.early = EARLY
        self.early_params.clear()
        self.early_writes.clear()

    def failed(self, error: BaseException, took: int, *, slow: bool) -> None:
        """Counts an error by the name of its class; its text may hold values."""
        name = type(error).__name__
        self.errors[name] = self.errors.get(name, 0) + 1
        self.worst_failed = max(self.worst_failed, took)
        if slow and self.site is None:
            self.locate()

    def absorb(self, other: Statement) -> None:
        """Adds what an inner scope saw of the same SQL."""
        self.runs += other.runs
        self.batched += other.batched
        for error, times in other.errors.items():
            self.errors[error] = self.errors.get(error, 0) + times
        if other.worst > self.worst:
            self.worst, self.worst_params = other.worst, other.worst_params
        self.worst_failed = max(self.worst_failed, other.worst_failed)
        self.early_params += other.early_params
        self.early_writes += other.early_writes
        self.early_lines += other.early_lines
        self.early = max(0, EARLY - len(self.early_params))
        if other.is_loop and not self.is_loop:
            self.is_loop, self.loop = True, other.loop
        self.site = self.site or other.site
        self.late = self.late or other.late
        self.correlation_id = self.correlation_id or other.correlation_id
