"""Conditions that an index on the column cannot serve: a function, a cast or arithmetic is in the way."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.existing import definition
from performance.queries.analysis.findings.base import Facts, Finding, finder
from performance.queries.analysis.findings.statements import by_share
from performance.queries.analysis.literals import without_literals
from performance.queries.analysis.predicates import Ask, Predicate
from performance.queries.analysis.uses import Use

FEW_ROWS = 1_000


@finder("defeated_index")
def find(facts: Facts) -> Iterator[Finding]:
    for item in facts.asked:
        seen = set()
        for use in item.uses:
            for predicate in use.predicates:
                if predicate.target in seen or not _defeats(use, predicate, facts.catalog):
                    continue
                seen.add(predicate.target)
                target = without_literals(predicate.target)
                yield Finding(
                    kind="defeated_index",
                    severity=by_share(facts, item.statement),
                    about=f"{use.table.label}.{predicate.columns[0]}",
                    said=f"{target} is compared, and the index on {predicate.columns[0]} cannot serve that.",
                    remedy=f"Compare the column itself, or index the expression: ({target}).",
                    statement=item.statement.id,
                    weight=item.statement.seconds,
                )


def _defeats(use: Use, predicate: Predicate, catalog: Catalog) -> bool:
    """Whether an index begins with the column, and none with the expression."""
    if predicate.plain or len(predicate.columns) != 1 or use.table.rows < FEW_ROWS:
        return False
    if predicate.ask not in (Ask.EQUAL, Ask.RANGE, Ask.PREFIX) or not use.scanned:
        return False
    firsts = [
        definition(index, use.table).keys[0].target for index in catalog.indexes_of(use.table)
    ]
    return predicate.columns[0] in firsts and predicate.target not in firsts
