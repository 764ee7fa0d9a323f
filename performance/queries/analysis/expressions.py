"""Writing the expressions of a plan's conditions as SQL of one table, without its alias."""

from __future__ import annotations

import re
from collections.abc import Callable

from performance.queries.analysis.parsing import Node, kind

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
RESERVED = {
    "all", "and", "any", "array", "as", "asc", "both", "case", "cast", "check", "collate", "column",
    "constraint", "create", "current_date", "current_role", "current_time", "current_timestamp",
    "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "false",
    "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into",
    "lateral", "leading", "limit", "localtime", "localtimestamp", "not", "null", "offset", "on", "only",
    "or", "order", "placing", "primary", "references", "returning", "select", "session_user", "some",
    "symmetric", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using",
    "variadic", "when", "where", "window", "with",
}  # fmt: skip
# No-op casts that PostgreSQL writes around a column to give it the operator's type.
RELABELS = {"text", "varchar", "bpchar"}


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    if _PLAIN.fullmatch(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def string(value: str) -> str:
    """`value` as an SQL string."""
    return "'" + value.replace("'", "''") + "'"


def sql(node: Node) -> str | None:
    """The SQL of an expression over columns and constants, None where it holds something else."""
    write = WRITERS.get(kind(node))
    return write(next(iter(node.values()))) if write else None


def column(node: Node) -> tuple[str, str] | None:
    """(alias, column) of a plain column, also under casts that change nothing for text."""
    if kind(node) == "TypeCast" and type_name(node["TypeCast"]) in RELABELS:
        node = node["TypeCast"].get("arg", {})
    if kind(node) != "ColumnRef":
        return None
    names = [part["String"]["sval"] for part in node["ColumnRef"]["fields"] if "String" in part]
    return (names[-2], names[-1]) if len(names) >= 2 else None


def relabel(node: Node) -> str:
    """The type that a plain column is cast to, "" where it is not."""
    if kind(node) == "TypeCast" and kind(node["TypeCast"].get("arg", {})) == "ColumnRef":
        name = type_name(node["TypeCast"])
        return name if name in RELABELS else ""
    return ""


def type_name(cast: Node) -> str:
    names = cast.get("typeName", {}).get("names", [])
    return names[-1]["String"]["sval"] if names else ""


def _column(fields: Node) -> str | None:
    names = [part["String"]["sval"] for part in fields["fields"] if "String" in part]
    return quoted(names[-1]) if names else None


def _constant(fields: Node) -> str | None:
    if fields.get("isnull"):
        return "NULL"
    if "sval" in fields:
        return string(fields["sval"].get("sval", ""))
    if "ival" in fields:
        return str(fields["ival"].get("ival", 0))
    if "fval" in fields:
        return str(fields["fval"]["fval"])
    if "boolval" in fields:
        return "true" if fields["boolval"].get("boolval") else "false"
    return None


def _cast(fields: Node) -> str | None:
    inner = sql(fields.get("arg", {}))
    shape = fields.get("typeName", {})
    if inner is None or shape.get("typmods"):
        return None
    name = type_name(fields)
    if not re.fullmatch(r"\w+", name):
        return None
    array = "[]" if shape.get("arrayBounds") else ""
    simple = kind(fields["arg"]) in {"ColumnRef", "A_Const", "FuncCall", "ParamRef"}
    return f"{inner}::{name}{array}" if simple else f"({inner})::{name}{array}"


def _call(fields: Node) -> str | None:
    arguments = [sql(argument) for argument in fields.get("args", [])]
    if None in arguments or fields.get("agg_star") or fields.get("over"):
        return None
    names = [part["String"]["sval"] for part in fields["funcname"]]
    if names[0] == "pg_catalog":
        names = names[1:]
    return f"{'.'.join(map(quoted, names))}({', '.join(filter(None, arguments))})"


def _operation(fields: Node) -> str | None:
    left, right = fields.get("lexpr"), fields.get("rexpr")
    if fields.get("kind") != "AEXPR_OP" or not left or not right:
        return None
    sides = [sql(left), sql(right)]
    if None in sides:
        return None
    return f"({sides[0]} {operator(fields)} {sides[1]})"


def operator(fields: Node) -> str:
    return str(fields["name"][-1]["String"]["sval"])


def _coalesce(fields: Node) -> str | None:
    arguments = [sql(argument) for argument in fields.get("args", [])]
    return None if None in arguments else f"COALESCE({', '.join(filter(None, arguments))})"


WRITERS: dict[str, Callable[[Node], str | None]] = {
    "ColumnRef": _column,
    "A_Const": _constant,
    "TypeCast": _cast,
    "FuncCall": _call,
    "A_Expr": _operation,
    "CoalesceExpr": _coalesce,
    "ParamRef": lambda fields: f"${fields['number']}",
}
