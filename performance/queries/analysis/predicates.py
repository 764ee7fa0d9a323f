"""What a plan asks of each table: conditions, joins and orders, read from the nodes' own text.

The planner has already resolved names, views and subqueries: every column stands there with the
alias of its table. So this works for any statement that PostgreSQL can plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from performance.queries.analysis import expressions, parsing
from performance.queries.analysis.parsing import Node, kind


class Ask(StrEnum):
    """How a condition narrows its column."""

    EQUAL = "equal"
    RANGE = "range"
    NULL = "null"
    NOT_NULL = "not_null"
    PREFIX = "prefix"  # LIKE 'abc%'
    WITHIN = "within"  # LIKE '%abc%', ILIKE, ~
    MEMBER = "member"  # @>, ?, &&, @@: what GIN is for
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """One condition on one expression of one table."""

    alias: str
    ask: Ask
    target: str  # a column's name or, where `columns` says otherwise, an expression as SQL
    columns: tuple[str, ...]
    operator: str = "="
    value: Node = field(default_factory=dict)
    joins: str = ""  # the other alias, where the value comes from another table
    many: bool = False  # IN or ANY
    arm: tuple[int, int] | None = None  # which OR and which of its arms
    cast: str = ""  # a cast around the column, which changes nothing if that is a text
    bound: bool = False  # the other table's value is there when the scan begins: a correlation

    @property
    def plain(self) -> bool:
        """Whether the target is a column and nothing around it."""
        return self.columns == (self.target,)

    @property
    def parameter(self) -> int:
        """The number of the parameter compared with, 0 where it is not one alone."""
        value = self.value
        while kind(value) == "TypeCast":
            value = value["TypeCast"].get("arg", {})
        return int(value.get("ParamRef", {}).get("number", 0))


_NAMED = re.compile(
    r"\((?:hashed )?(?:SubPlan|InitPlan|CTE) \d+\)(?:\.col\d+)?|\b(?:SubPlan|InitPlan) \d+"
)
_RANGES = {"<", "<=", ">", ">="}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MEMBERS = {"@>", "<@", "?", "?|", "?&", "&&", "@@", "@?"}
_LIKES = {"~~", "~~*", "~", "~*"}


def of_condition(text: str) -> list[Predicate]:
    """The predicates that a condition of a plan is made of; what is not understood is left out."""
    found = parsing.parsed(f"SELECT {_NAMED.sub('$0', text)}")
    if not found:
        return []
    target = found[0].get("SelectStmt", {}).get("targetList", [])
    if not target:
        return []
    counter = iter(range(1_000))
    return list(_conjuncts(target[0]["ResTarget"].get("val", {}), None, counter))


def _conjuncts(
    node: Node, arm: tuple[int, int] | None, counter: Iterator[int]
) -> Iterator[Predicate]:
    fields = node.get("BoolExpr")
    if fields is None:
        yield from _one(node, arm)
    elif fields["boolop"] == "AND_EXPR":
        for part in fields["args"]:
            yield from _conjuncts(part, arm, counter)
    elif fields["boolop"] == "OR_EXPR" and arm is None:
        number = next(counter)
        for at, part in enumerate(fields["args"]):
            yield from _conjuncts(part, (number, at), counter)
    elif fields["boolop"] == "NOT_EXPR":
        yield from _boolean(fields["args"][0], arm, truth=False)


def _one(node: Node, arm: tuple[int, int] | None) -> Iterator[Predicate]:
    name = kind(node)
    if name == "A_Expr":
        yield from _comparison(node["A_Expr"], arm)
    elif name == "NullTest":
        test = node["NullTest"]
        ask = Ask.NULL if test["nulltesttype"] == "IS_NULL" else Ask.NOT_NULL
        yield from _predicate(test.get("arg", {}), {}, arm, ask=ask, operator="IS")
    elif name == "BooleanTest":
        truth = node["BooleanTest"].get("booltesttype") in {"IS_TRUE", "IS_NOT_FALSE"}
        yield from _boolean(node["BooleanTest"].get("arg", {}), arm, truth=truth)
    else:
        yield from _boolean(node, arm)


def _boolean(node: Node, arm: tuple[int, int] | None, *, truth: bool = True) -> Iterator[Predicate]:
    if kind(node) == "ColumnRef":
        value = {"A_Const": {"boolval": {"boolval": truth}}}
        yield from _predicate(node, value, arm, ask=Ask.EQUAL, operator="bool")


def _comparison(fields: Node, arm: tuple[int, int] | None) -> Iterator[Predicate]:
    left, right, sign = (
        fields.get("lexpr", {}),
        fields.get("rexpr", {}),
        expressions.operator(fields),
    )
    many = fields.get("kind") == "AEXPR_OP_ANY"
    if fields.get("kind") not in {"AEXPR_OP", "AEXPR_OP_ANY"}:
        return
    if kind(left) == "RowExpr" and kind(right) == "RowExpr":
        left, right = left["RowExpr"]["args"][0], right["RowExpr"]["args"][0]
    yield from _predicate(left, right, arm, ask=ask_of(sign, right), operator=sign, many=many)
    if not many and sign in {"=", *_RANGES}:
        turned = _TURNED.get(sign, sign)
        yield from _predicate(right, left, arm, ask=ask_of(turned, left), operator=turned)


def ask_of(sign: str, value: Node) -> Ask:
    """What an operator asks for, given what it compares with."""
    if sign == "=":
        return Ask.EQUAL
    if sign in _RANGES:
        return Ask.RANGE
    if sign in _MEMBERS:
        return Ask.MEMBER
    if sign in _LIKES:
        return _pattern(sign, value)
    return Ask.OTHER


def _pattern(sign: str, value: Node) -> Ask:
    text = constant(value)
    if sign == "~~" and text is not None and re.match(r"[^%_\\]", text):
        return Ask.PREFIX
    if sign == "~" and text is not None and re.match(r"\^\w", text):
        return Ask.PREFIX
    return Ask.WITHIN


def constant(node: Node) -> str | None:
    """The text of a constant, also under casts."""
    while kind(node) == "TypeCast":
        node = node["TypeCast"].get("arg", {})
    value: Any = node.get("A_Const", {}).get("sval", {}).get("sval")
    return value if isinstance(value, str) else None


def _aliases(node: Node) -> set[str]:
    found = set()
    for name, fields in parsing.walk(node):
        if name == "ColumnRef":
            names = [part["String"]["sval"] for part in fields["fields"] if "String" in part]
            found.add(names[-2] if len(names) > 1 else "")
    return found


def _predicate(
    left: Node, right: Node, arm: tuple[int, int] | None, **facts: Any
) -> Iterator[Predicate]:
    """The predicate on `left`, if that is of one table and `right` of others or of none."""
    own, other = _aliases(left), _aliases(right)
    if len(own) != 1 or own & other:
        return
    target = target_of(left)
    if target is None:
        return
    (alias,) = own
    yield Predicate(
        alias=alias, target=target[0], columns=target[1], value=right, arm=arm,
        joins=next(iter(other), ""), cast=expressions.relabel(left), **facts,
    )  # fmt: skip


def target_of(node: Node) -> tuple[str, tuple[str, ...]] | None:
    """(what an index could be on, its columns) of one side of a condition or a sort key."""
    plain = expressions.column(node)
    if plain:
        return plain[1], (plain[1],)
    written = expressions.sql(node)
    if written is None:
        return None
    columns = dict.fromkeys(
        fields["fields"][-1]["String"]["sval"]
        for name, fields in parsing.walk(node)
        if name == "ColumnRef" and "String" in fields["fields"][-1]
    )
    return (written, tuple(columns)) if columns else None
