"""The same statement again and again in one request."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity
from performance.queries.analysis.findings.statements import named

OFTEN = 5


@finder("n_plus_one")
def find(facts: Facts) -> Iterator[Finding]:
    for statement in facts.statements:
        if statement.repeats < OFTEN:
            continue
        where = f" from {statement.callers[0]}" if statement.callers else ""
        wasted = statement.mean * (statement.repeats - 1)
        yield Finding(
            kind="n_plus_one",
            severity=severity(wasted, warning=0.0, critical=0.1),
            about=named(statement),
            said=f"It ran {statement.repeats} times in one request{where}; {wasted * 1000:.0f} ms of that "
            "can be saved.",
            remedy="select_related() for a foreign key, prefetch_related() for the other side; where the "
            "values repeat, keep the answer.",
            statement=statement.id,
            weight=wasted * statement.calls,
        )
