"""Real values for the parameters of a statement, from the statistics: in memory, never kept.

A plan for unknown values misleads where data is skewed, so a statement is planned with the worst
value (the most common one), a typical one and a rare one of each column that it compares with.
"""

from __future__ import annotations

from dataclasses import dataclass

from performance.queries.analysis.catalog import Column
from performance.queries.analysis.expressions import string
from performance.queries.analysis.predicates import Ask

WORST, TYPICAL, RARE = "worst", "typical", "rare"
VARIANTS = (TYPICAL, WORST, RARE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a prepared statement, and the column that it is compared with, if any."""

    number: int
    type: str
    column: Column | None = None
    ask: Ask = Ask.OTHER
    operator: str = "="


def elements(array: str | None) -> list[str]:
    """The elements of an array as PostgreSQL writes it; NULL is left out."""
    found, current, quoted, escaped, was_quoted = [], "", False, False, False
    for character in (array or "{}")[1:-1] + ",":
        if escaped:
            current, escaped = current + character, False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted, was_quoted = not quoted, True
        elif character == "," and not quoted:
            if current != "NULL" and (current or was_quoted):
                found.append(current)
            current, was_quoted = "", False
        else:
            current += character
    return found


def value(parameter: Parameter, variant: str) -> str:
    """An SQL literal for the parameter."""
    known = _of_column(parameter, variant) if parameter.column else None
    text = _default(parameter.type) if known is None else known
    if parameter.type.endswith("[]"):
        item = text if known is not None else _default(parameter.type[:-2])
        text = "{" + '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' + "}"
    return f"{string(text)}::{parameter.type}"


def _of_column(parameter: Parameter, variant: str) -> str | None:
    column = parameter.column
    if column is None or not _comparable(parameter.type, column):
        return None
    common, bounds = elements(column.common), elements(column.bounds)
    if parameter.ask is Ask.RANGE:
        return _bound(parameter.operator, common, bounds, variant)
    if parameter.ask in (Ask.PREFIX, Ask.WITHIN):
        return f"%{(bounds or common or ['abc'])[0][:4]}%"
    if variant == WORST and common:
        return common[0]
    if variant == RARE and not bounds and common:
        return common[-1]
    middle = bounds or common
    return middle[len(middle) // 2] if middle else None


def _bound(operator: str, common: list[str], bounds: list[str], variant: str) -> str | None:
    """A bound that leaves a twentieth of the rows, or half of them for the worst."""
    values = bounds or sorted(common)
    if not values:
        return None
    share = 0.5 if variant == WORST else 0.05
    at = share if operator in ("<", "<=") else 1 - share
    return values[min(len(values) - 1, int(at * (len(values) - 1)))]


def _comparable(type_name: str, column: Column) -> bool:
    bare = type_name.removesuffix("[]")
    texts = {"text", "varchar", "character varying", "character", "bpchar", "name"}
    if bare in texts:
        return column.category == "S"
    return bare.partition("(")[0] == column.type.partition("(")[0] or (
        column.category == "N" and bare in {"integer", "bigint", "smallint", "numeric"}
    ) or column.category == "D"  # fmt: skip


def _default(type_name: str) -> str:
    return _DEFAULTS.get(type_name.partition("(")[0].removesuffix("[]"), "1")


_DEFAULTS = {
    "text": "abc", "character varying": "abc", "character": "a", "name": "abc", "boolean": "true",
    "date": "2024-01-01", "timestamp without time zone": "2024-01-01",
    "timestamp with time zone": "2024-01-01", "interval": "1 day", "time without time zone": "12:00",
    "uuid": "6f0c1a52-8a0e-4c39-9d8e-0c5d3f6b7a10", "jsonb": "{}", "json": "{}", "bytea": "\\x00",
    "inet": "127.0.0.1", "tsquery": "abc", "tsvector": "abc", "regconfig": "simple",
}  # fmt: skip
