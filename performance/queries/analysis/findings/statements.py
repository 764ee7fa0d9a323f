"""What the finders of statements have in common."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis import parsing
from performance.queries.analysis.findings.base import Facts, Severity
from performance.queries.analysis.parsing import Node
from performance.queries.analysis.statements import Statement

LOOKED_AT = 1_000  # statements; the others cost next to nothing
MUCH, SOME = 0.2, 0.02  # of the time of all statements


def trees(facts: Facts) -> Iterator[tuple[Statement, Node]]:
    """Each of the most costly statements that the parser reads, with its tree."""
    for statement in facts.statements[:LOOKED_AT]:
        tree = parsing.single(parsing.repaired(statement.sql))
        if tree is not None:
            yield statement, tree


def by_share(facts: Facts, statement: Statement) -> Severity:
    """The severity of something that a statement suffers from: by its part of the time."""
    share = facts.share(statement)
    if share >= MUCH:
        return Severity.CRITICAL
    return Severity.WARNING if share >= SOME else Severity.INFO


def no_worse(severity: Severity, limit: Severity) -> Severity:
    """`severity`, or `limit` where that is milder."""
    return max(severity, limit, key=lambda one: one.rank)


def named(statement: Statement) -> str:
    """How a statement is spoken of."""
    return f"statement {statement.id}"
