"""Statements that have become slower than they were in the period before."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder
from performance.queries.analysis.findings.statements import by_share, named

FACTOR = 1.5
LEAST = 0.002  # seconds


@finder("slower_than_before")
def find(facts: Facts) -> Iterator[Finding]:
    for statement in facts.statements:
        trend = statement.trend
        if trend is None or trend < FACTOR or statement.mean < LEAST:
            continue
        yield Finding(
            kind="slower_than_before",
            severity=by_share(facts, statement),
            about=named(statement),
            said=f"It takes {statement.mean * 1000:.1f} ms on average, {trend:.1f} times what it took in the "
            "period before.",
            remedy="Compare the plan with the earlier one; look for growth, stale statistics, and a dropped "
            "index.",
            statement=statement.id,
            weight=statement.seconds,
        )
