"""Which value of a statement differed between its runs, and of which column it was the value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Column = tuple[str, str]
"""Table ("" where the SQL does not say) and column."""

_PLACEHOLDER = re.compile(r"%s|%\((\w+)\)s")
_RANGE = re.compile(
    r"(?:[<>]=?|\b(?:BETWEEN|LIMIT|OFFSET|FIRST|BETWEEN \S+ AND))\s*\(?$", re.IGNORECASE
)
_NAME = r'(?:(?:"(?P<table>[^"]+)"|(?P<table2>\w+))\.)?(?:"(?P<column>[^"]+)"|(?P<column2>\w+))'
_COLUMN = re.compile(
    rf"{_NAME}\)?(?:::\w+)?\)? ?(?:=|IN|I?LIKE)[ (]*(?:UPPER\(|LOWER\()?$", re.IGNORECASE
)
_WRITTEN = re.compile(
    rf"{_NAME}(?:::\w+)? ?(?:=|IN) ?\(?(?P<value>%s|%\((?P<key>\w+)\)s|\d[\w.]*|'(?:[^']|'')*')",
    re.IGNORECASE,
)
_LIST = re.compile(r"\bIN \(([^()]*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement with the values that it was sent with."""

    sql: str
    params: Any


def differing(sql: str, runs: Sequence[Any]) -> Column | None:
    """The column that one value differed for between runs of one text; None where none did.

    The bounds of ranges and pages may differ, and lists of values: these are batches.
    """
    for position, match in enumerate(_PLACEHOLDER.finditer(sql)):
        before = sql[max(0, match.start() - 300) : match.start()]
        if _RANGE.search(before) or _in_list(sql, match):
            continue
        values = [_value(params, match[1] or position) for params in runs]
        if any(not alike(values[0], value) for value in values) and not any(map(_is_list, values)):
            named = _COLUMN.search(before)
            return _column(named) if named else ("", "")
    return None


def differing_texts(asked: Sequence[Asked]) -> Column | None:
    """The same for texts of one fingerprint, whose values may be written into them."""
    conditions = [list(_conditions(one)) for one in asked]
    for same in zip(*conditions, strict=False):
        if any(not alike(same[0][1], value) for _, value in same[1:]):
            column: Column = same[0][0]
            return column
    return None


def list_length(sql: str) -> int:
    """Values in its longest list; 1 where it has none."""
    return max((text.count(",") + 1 for text in _LIST.findall(sql)), default=1)


def alike(a: Any, b: Any) -> bool:
    """Whether two values are equal, of whatever types."""
    try:
        return bool(a == b)
    except Exception:  # noqa: BLE001 - an __eq__ of any type
        return False


def _conditions(one: Asked) -> Iterator[tuple[Column, Any]]:
    for match in _WRITTEN.finditer(one.sql):
        value: Any = match["value"]
        if value.startswith("%"):
            position = one.sql.count("%s", 0, match.start("value"))
            value = _value(one.params, match["key"] or position)
        yield _column(match), value


def _in_list(sql: str, match: re.Match[str]) -> bool:
    after = sql[match.end() : match.end() + 2].lstrip()
    before = sql[max(0, match.start() - 2) : match.start()].rstrip()
    return before.endswith(",") or (before.endswith("(") and after.startswith(","))


def _column(match: re.Match[str]) -> Column:
    return match["table"] or match["table2"] or "", match["column"] or match["column2"]


def _value(params: Any, key: int | str) -> Any:
    try:
        return params[key]
    except (TypeError, LookupError):
        return None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | set) and len(value) > 1
