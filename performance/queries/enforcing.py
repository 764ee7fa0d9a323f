"""Budgets in tests: a block that costs more than it may fails, and says what it ran."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from performance.queries import scope
from performance.queries.budgets import Budget
from performance.queries.findings import groups_of


class BudgetExceeded(AssertionError):
    """A block ran more statements, or longer ones, than it may. Says which, without their values."""


@contextmanager
def budget(*, max_queries: int | None = None, max_ms: float | None = None) -> Iterator[scope.Scope]:
    """A block that may not exceed its budget: raises BudgetExceeded at its end if it does.

    What requests of the test client run inside of it counts, too.
    """
    allowed = Budget(max_queries, max_ms)
    with scope.open(kind="budget") as seen:
        yield seen
    exceeded = allowed.exceeded(seen)
    if exceeded:
        raise BudgetExceeded(f"{exceeded}:\n{describe(seen)}")


def describe(seen: scope.Scope) -> str:
    """The statements of a scope, without values, one a line, most often run first."""
    lines = []
    for found, statements in groups_of(seen):
        count = sum(one.count for one in statements)
        site = next((one.loop or one.site for one in statements if one.loop or one.site), None)
        place = f" ({site.file}:{site.line})" if site else ""
        lines.append((count, f"  {count} x {found.sql[:300]}{place}"))
    return "\n".join(line for _, line in sorted(lines, key=lambda pair: -pair[0]))
