"""Fixtures for budgets of queries: `pytest_plugins = ["performance.queries.pytest_plugin"]`.

def test_page(client, query_budget):
    with query_budget(max_queries=5):
        client.get("/")

@pytest.mark.usefixtures("view_query_budgets")   # every view heeds its own budget
def test_site(client): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from performance.queries import ended
from performance.queries.budgets import budget_of
from performance.queries.enforcing import BudgetExceeded, budget, describe
from performance.queries.scope import Scope


@pytest.fixture
def query_budget() -> Callable[..., Any]:
    """`performance.queries.budget`: a context manager that fails a block over its budget."""
    return budget


@pytest.fixture
def view_query_budgets() -> Iterator[None]:
    """Fails the test when a view runs more queries than its `max_queries`, by decorator or settings.

    `max_ms` does not count here: what a test machine takes says nothing.
    """
    exceeded: list[str] = []

    def look(seen: Scope) -> None:
        allowed = budget_of(seen) if seen.kind == "request" else None
        if allowed and allowed.max_queries is not None and seen.count > allowed.max_queries:
            exceeded.append(
                f"{seen.name}: {seen.count} queries where at most {allowed.max_queries} are allowed:"
                f"\n{describe(seen)}"
            )

    ended.observers.append(look)
    try:
        yield
    finally:
        ended.observers.remove(look)
    if exceeded:
        raise BudgetExceeded("\n".join(exceeded))
