"""PostgreSQL's own grammar, through pgparse: loaded when the first statement is parsed, never earlier."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from performance.queries.analysis.exceptions import AnalysisError

Node = dict[str, Any]

LONGEST = 100_000  # characters; a longer statement is taken by its name alone
PLANNABLE = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}

# What pg_stat_statements makes of INTERVAL '1 day' and EXTRACT(YEAR FROM x) is no SQL any more.
_TYPED = re.compile(r"\b(interval|date|timestamptz|timestamp|time)\s+(\$\d+)", re.IGNORECASE)
_EXTRACT = re.compile(r"\bextract\s*\(\s*\$\d+\s+from\b", re.IGNORECASE)
# Of the log's "?" those that are operators stay: what stands before another value, and ?| and ?&.
_PLACEHOLDER = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | (?P<percent>%%) | (?P<driver>%s|%\(\w+\)s)
    | (?P<list>\bIN\s?\()\?\) | (?<=[\w")\]]\s)\?(?=\s(?:\?|ARRAY\b)) | \?[|&] | (?P<mark>\?)""",
    re.VERBOSE | re.IGNORECASE,
)


@functools.cache
def _parser() -> Any:
    try:
        import pgparse
    except ImportError:
        raise AnalysisError("The package pgparse, PostgreSQL's parser, is not installed.") from None
    return pgparse


def parsed(sql: str) -> list[Node] | None:
    """The statements of `sql` as PostgreSQL's parse tree, None where it is no SQL to the parser."""
    pgparse = _parser()
    if len(sql) > LONGEST or "\0" in sql:
        return None
    try:
        return [raw["stmt"] for raw in pgparse.parse(sql) if "stmt" in raw]
    except (pgparse.PGQueryError, RecursionError, ValueError):
        return None


def single(sql: str) -> Node | None:
    """The tree of a text that is one statement that can be planned, else None."""
    found = parsed(sql)
    if not found or len(found) != 1 or kind(found[0]) not in PLANNABLE:
        return None
    return found[0]


def kind(node: Node) -> str:
    """The name of the node's type: a tree is {type: {field: value}}."""
    return next(iter(node), "")


def walk(node: object) -> Iterator[tuple[str, Node]]:
    """Every (type, fields) below `node`, outermost first, without recursion."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting += reversed(current)
        elif isinstance(current, dict):
            for name, inner in reversed(current.items()):
                waiting.append(inner)
                if isinstance(inner, dict) and name[:1].isupper():
                    yield name, inner


def repaired(sql: str) -> str:
    """`sql` with numbered parameters, where a driver, a log or pg_stat_statements left something else."""
    if "$1" not in sql:
        sql = _numbered(sql)
    return _EXTRACT.sub("extract(epoch from", _TYPED.sub(r"\2::\1", sql))


def _numbered(sql: str) -> str:
    numbers = iter(range(1, 1_000_000))
    driver = "%s" in sql or "%(" in sql

    def number(match: re.Match[str]) -> str:
        if match["percent"]:
            return "%" if driver else match[0]
        if match["driver"]:
            return f"${next(numbers)}" if driver else match[0]
        if match["list"]:
            return f"{match['list']}${next(numbers)} /*, ... */)"
        return f"${next(numbers)}" if match["mark"] and not driver else match[0]

    return _PLACEHOLDER.sub(number, sql) if "%" in sql or "?" in sql else sql


def tables(node: Node) -> set[str]:
    """Names of the relations that a statement mentions, without those of its WITH clauses."""
    named, own = set(), set()
    for name, fields in walk(node):
        if name == "RangeVar":
            named.add(fields.get("relname", ""))
        elif name == "CommonTableExpr":
            own.add(fields.get("ctename", ""))
    return named - own
