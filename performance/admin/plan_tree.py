"""A kept plan as rows that performance/queries/plan.html draws."""

from __future__ import annotations

from typing import Any

DEEPEST_DRAWN = 8  # levels that are set in; what lies deeper stands there too


def plan_rows(plan: dict[str, Any], depth: int = 0) -> list[dict[str, Any]]:
    """A plan's nodes in order, each with its depth and its share of the whole cost."""
    if not plan:
        return []
    found = [plan | {"depth": min(depth, DEEPEST_DRAWN)}]
    for child in plan.get("children", ()):
        found += plan_rows(child, depth + 1)
    if depth == 0:
        whole = max(node["cost"] for node in found) or 1
        found = [node | {"share": round(100 * node["cost"] / whole)} for node in found]
    return found
