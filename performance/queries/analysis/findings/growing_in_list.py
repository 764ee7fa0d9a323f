"""IN lists as long as the data: a new text for each length, and a plan for each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from performance.queries.analysis import parsing
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder
from performance.queries.analysis.findings.statements import LOOKED_AT, named

LONG = 100
_LIST = re.compile(r"(\bIN\s*\()[^()]*\)", re.IGNORECASE)


@finder("growing_in_list")
def find(facts: Facts) -> Iterator[Finding]:
    lengths: dict[str, set[int]] = {}
    for statement in facts.statements[:LOOKED_AT]:
        longest = _longest(statement.sql)
        shape = _LIST.sub(r"\1...)", statement.sql) if longest else ""
        if longest:
            lengths.setdefault(shape, set()).add(longest)
        if longest < LONG:
            continue
        yield Finding(
            kind="growing_in_list",
            severity=Severity.WARNING,
            about=named(statement),
            said=f"It lists {longest:,} values in IN ({len(lengths[shape])} lengths seen).",
            remedy="Pass one array (= ANY(%s)), join the rows that the values come from, or fetch in batches.",
            statement=statement.id,
            weight=statement.seconds,
        )


def _longest(sql: str) -> int:
    if len(sql) > parsing.LONGEST:
        return max((found[0].count(",") + 1 for found in _LIST.finditer(sql)), default=0)
    found = parsing.parsed(parsing.repaired(sql)) or []
    return max(
        (
            len(fields.get("rexpr", {}).get("List", {}).get("items", []))
            for name, fields in parsing.walk(found)
            if name == "A_Expr" and fields.get("kind") == "AEXPR_IN"
        ),
        default=0,
    )
