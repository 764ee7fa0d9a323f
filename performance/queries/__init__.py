"""Watching what the database is asked.

from performance.queries import budget, query_budget, scope

with scope.open(kind="request", name="conversations:detail") as seen: ...
seen.count, seen.seconds, seen.repeats

@query_budget(max_queries=5)      # a view; over it in production: counted and logged
def detail(request): ...

with budget(max_queries=5):       # in a test; over it: BudgetExceeded
    client.get("/")
"""

from __future__ import annotations

from performance.queries import scope
from performance.queries.budgets import query_budget
from performance.queries.enforcing import BudgetExceeded, budget
from performance.queries.parameters import parameters_of

__all__ = ["BudgetExceeded", "budget", "parameters_of", "query_budget", "scope"]
