"""What one scope saw of one SQL text. Values live here alone: in memory, and only for minutes."""

from __future__ import annotations

from typing import Any

from performance.queries import call_sites
from performance.queries.call_sites import Site

EARLY = 3
"""The run of a SQL text in one scope that makes it a repetition."""


class Statement:
    """One SQL text in one scope: its runs, the values of the slowest and of the first three.

    `runs` alternates nanoseconds and rows (-1: unknown); adding to it is one step of the
    interpreter, so threads that share a scope lose nothing.
    """

    __slots__ = (
        *("alias", "sql", "many", "runs", "batched", "errors", "worst", "worst_params"),
        *("first_params", "early", "site", "late", "correlation_id"),
    )

    def __init__(self, sql: str, alias: str, took: int, params: Any, *, many: bool = False) -> None:
        self.sql = sql
        self.alias = alias
        self.many = many
        self.runs: list[int] = []
        self.batched = 0  # statements that executemany() sent beyond one a call
        self.errors: dict[str, int] = {}
        self.worst = took
        self.worst_params = params
        self.first_params = [params]
        self.early = EARLY - 1
        self.site: Site | None = None
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
    def rows(self) -> int:
        return sum(rows for rows in self.runs[1::2] if rows > 0)

    def note(self, took: int, params: Any, slow: int) -> None:
        """Keeps the values of the slowest run and the first ones; finds the line of what repeats."""
        if took > self.worst:
            self.worst = took
            self.worst_params = params
        if self.early > 0:
            self.early -= 1
            self.first_params.append(params)
        if self.site is None and (took >= slow or self.early == 0):
            self.locate()

    def locate(self) -> None:
        """Remembers the application's line that runs it now."""
        self.site = call_sites.here()
        self.correlation_id = call_sites.correlation_id()

    def forget(self) -> None:
        """Its first run failed and counts for nothing but its time: a retry is no repetition."""
        self.early = EARLY
        self.first_params.clear()

    def failed(self, error: str) -> None:
        """Counts an error by the name of its class; its text may hold values."""
        self.errors[error] = self.errors.get(error, 0) + 1

    def absorb(self, other: Statement) -> None:
        """Adds what an inner scope saw of the same SQL."""
        self.runs += other.runs
        self.batched += other.batched
        for error, times in other.errors.items():
            self.errors[error] = self.errors.get(error, 0) + times
        if other.worst > self.worst:
            self.worst, self.worst_params = other.worst, other.worst_params
        self.first_params += other.first_params[: self.early]
        self.early = EARLY - len(self.first_params)
        self.site = self.site or other.site
        self.late = self.late or other.late
        self.correlation_id = self.correlation_id or other.correlation_id
