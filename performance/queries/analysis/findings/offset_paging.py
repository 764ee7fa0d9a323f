"""OFFSET: each page reads all the pages before it."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder
from performance.queries.analysis.findings.statements import by_share, named, no_worse, trees


@finder("offset_paging")
def find(facts: Facts) -> Iterator[Finding]:
    for statement, tree in trees(facts):
        if not tree.get("SelectStmt", {}).get("limitOffset"):
            continue
        yield Finding(
            kind="offset_paging",
            severity=no_worse(by_share(facts, statement), Severity.WARNING),
            about=named(statement),
            said="It pages by OFFSET: page n costs n times the first.",
            remedy="Page by the last key seen: WHERE (created, id) < (last created, last id) ORDER BY the "
            "same, with an index on both.",
            statement=statement.id,
            weight=statement.seconds,
        )
