"""LIKE with a wildcard in front, or ILIKE: only a trigram index can serve it."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder
from performance.queries.analysis.findings.statements import by_share
from performance.queries.analysis.predicates import Ask

MANY_ROWS = 10_000


@finder("leading_wildcard")
def find(facts: Facts) -> Iterator[Finding]:
    for item in facts.asked:
        for use in item.uses:
            within = next((p for p in use.predicates if p.ask is Ask.WITHIN), None)
            if within is None or not use.scanned or use.table.rows < MANY_ROWS:
                continue
            yield Finding(
                kind="leading_wildcard",
                severity=by_share(facts, item.statement),
                about=f"{use.table.label}.{within.columns[0]}",
                said=f"A word is sought anywhere in {use.table.rows:,.0f} texts.",
                remedy="Search by full text (SearchVectorField with a GIN index), or add a trigram index: "
                "GinIndex(opclasses=['gin_trgm_ops']).",
                statement=item.statement.id,
                weight=item.statement.seconds,
            )
            break
