"""Sorts, hashes and lists too large for work_mem: they go to the disk."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, megabytes
from performance.queries.analysis.findings.statements import by_share, named
from performance.queries.analysis.statements import BLOCK


@finder("spilling_sort")
def find(facts: Facts) -> Iterator[Finding]:
    for statement in facts.statements:
        if not statement.spilled:
            continue
        each = statement.spilled * BLOCK / max(statement.calls, 1)
        yield Finding(
            kind="spilling_sort",
            severity=by_share(facts, statement),
            about=named(statement),
            said=f"It writes {megabytes(each)} of temporary files a call.",
            remedy=f"Sort less: an index in the order, or a LIMIT. Else SET LOCAL work_mem = "
            f"'{max(4, round(3 * each / 2**20))}MB' for this statement.",
            statement=statement.id,
            weight=statement.spilled,
        )
