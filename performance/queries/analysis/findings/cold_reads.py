"""Statements that read most of their blocks from outside shared buffers."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, megabytes
from performance.queries.analysis.findings.statements import by_share, named
from performance.queries.analysis.statements import BLOCK

FEW_BLOCKS = 1_000  # a call
LEAST = 0.9


@finder("cold_reads")
def find(facts: Facts) -> Iterator[Finding]:
    for statement in facts.statements:
        each = statement.read / max(statement.calls, 1)
        if each < FEW_BLOCKS or (statement.hit_ratio or 1) >= LEAST:
            continue
        yield Finding(
            kind="cold_reads",
            severity=by_share(facts, statement),
            about=named(statement),
            said=f"It reads {megabytes(each * BLOCK)} a call from outside shared buffers "
            f"({statement.hit_ratio:.0%} found there).",
            remedy="Read less: an index, fewer columns, a narrower period.",
            statement=statement.id,
            weight=statement.read,
        )
