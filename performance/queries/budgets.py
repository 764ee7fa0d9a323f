"""How many statements a view may cost.

In production a view over its budget is counted and logged; for tests see performance.queries.enforcing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from performance import conf
from performance.queries import scope

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `max_queries` statements and `max_ms` milliseconds of the database; None: no limit."""

    max_queries: int | None = None
    max_ms: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_queries", "max_ms"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not value >= 0):
                raise ValueError(f"{name} of a budget is a number of 0 or more, not {value!r}.")

    def exceeded(self, seen: scope.Scope) -> str:
        """By how much `seen` exceeds it; empty when it does not."""
        count, milliseconds = seen.count, seen.seconds * 1000
        if self.max_queries is not None and count > self.max_queries:
            return f"{count} queries where at most {self.max_queries} are allowed"
        if self.max_ms is not None and milliseconds > self.max_ms:
            return f"{milliseconds:.1f} ms of queries where at most {self.max_ms:g} ms are allowed"
        return ""


def budget_of(seen: scope.Scope) -> Budget | None:
    """What a request's view declares, or what PERFORMANCE["QUERIES"]["BUDGETS"] has for it or for "*".

    Raises ValueError where the settings are wrong, which a system check finds first.
    """
    if seen.budget is not None:
        declared: Budget = seen.budget
        return declared
    budgets = conf.current().queries.budgets
    found: dict[str, Any] | None = budgets.get(seen.name) or budgets.get("*")
    return Budget(**found) if found and seen.kind == "request" else None


def query_budget(
    *, max_queries: int | None = None, max_ms: float | None = None
) -> Callable[[View], View]:
    """Decorator of a view, sync or async: its budget. It goes before one in the settings."""
    budget = Budget(max_queries, max_ms)

    def decorate(view: View) -> View:
        view.query_budget = budget  # type: ignore[attr-defined]
        return view

    return decorate
