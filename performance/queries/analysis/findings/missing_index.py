"""Indexes that the advisor suggests."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder

CRITICAL = 0.2  # share of the time of all statements that gain


@finder("missing_index")
def find(facts: Facts) -> Iterator[Finding]:
    known = {statement.id: statement for statement in facts.statements}
    for suggestion in facts.suggestions:
        share = sum(
            facts.share(known[g.statement]) for g in suggestion.gains if g.statement in known
        )
        yield Finding(
            kind="missing_index",
            severity=Severity.CRITICAL if share >= CRITICAL else Severity.WARNING,
            about=suggestion.index.table,
            said=f"An index would bring {len(suggestion.gains)} statements to {suggestion.ratio:.1%} of "
            f"their cost ({suggestion.confidence}).",
            remedy="Add it; see the suggestion for the plans, Django's line and the migration.",
            sql=suggestion.index.create(),
            statement=suggestion.gains[0].statement,
            weight=suggestion.cost_before - suggestion.cost_after,
        )
