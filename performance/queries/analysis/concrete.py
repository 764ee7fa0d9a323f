"""Making a statement without values one that can be planned as if it had real ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from performance.queries.analysis import parsing, values
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.exceptions import NotPlanned
from performance.queries.analysis.plans import plan_of
from performance.queries.analysis.uses import uses_of
from performance.queries.analysis.values import Parameter

PAGE = 20  # what LIMIT $n is taken for
LIST = 3  # how many values an IN of unknown length is taken for
_REST = re.compile(rb"\s*/\*, \.\.\. \*/")


@dataclass(frozen=True, slots=True)
class Variant:
    """A statement with values in it; `label` says where they came from. Never stored or shown."""

    label: str
    sql: str


def variants(sql: str, database: Database, catalog: Catalog) -> list[Variant]:
    """The ways to plan `sql`: as it stands, or with worst, typical and rare values.

    Raises NotPlanned where it is no single statement that can be planned.
    """
    sql = parsing.repaired(sql.strip().rstrip(";"))
    tree = parsing.single(sql)
    if tree is None:
        raise NotPlanned("not one SELECT, INSERT, UPDATE or DELETE that the parser reads")
    places = _places(tree)
    if not places:
        return [Variant("as written", sql)]
    parameters = _parameters(sql, max(places.values()), database, catalog)
    fixed = _counts(tree)
    made: dict[str, str] = {}
    for label in values.VARIANTS:
        made.setdefault(_filled(sql, places, parameters, fixed, label), label)
    return [Variant(label, text) for text, label in made.items()]


def _places(tree: parsing.Node) -> dict[int, int]:
    """Byte offset -> number, for every parameter."""
    return {
        int(fields.get("location", 0)): int(fields.get("number", 0))
        for name, fields in parsing.walk(tree)
        if name == "ParamRef"
    }


def _counts(tree: parsing.Node) -> dict[int, str]:
    """Parameters of LIMIT and OFFSET, with a usual value."""
    found = {}
    for name, fields in parsing.walk(tree):
        if name != "SelectStmt":
            continue
        for part, text in (("limitCount", str(PAGE)), ("limitOffset", "0")):
            for inner, parameter in parsing.walk(fields.get(part, {})):
                if inner == "ParamRef":
                    found[int(parameter.get("number", 0))] = text
    return found


def _parameters(sql: str, count: int, database: Database, catalog: Catalog) -> dict[int, Parameter]:
    """Types and columns of the parameters, as PostgreSQL understands the statement."""
    database.command(f"PREPARE analyze_queries_one AS {sql}")
    try:
        types = database.value(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = %s",
            ("analyze_queries_one",),
        )
        found = {n: Parameter(n, name) for n, name in enumerate(types or [], start=1)}
        return found | _compared(found, database, catalog)
    finally:
        database.command("DEALLOCATE analyze_queries_one")


def _compared(
    parameters: dict[int, Parameter], database: Database, catalog: Catalog
) -> dict[int, Parameter]:
    """The parameters that a generic plan compares with a column."""
    database.rows("SELECT set_config('plan_cache_mode', 'force_generic_plan', false)")
    try:
        arguments = ", ".join(["NULL"] * len(parameters))
        plan = plan_of(database.explain(f"EXECUTE analyze_queries_one({arguments})"))
    except NotPlanned:
        return {}
    finally:
        database.rows("SELECT set_config('plan_cache_mode', 'auto', false)")
    found = {}
    for use in uses_of(plan, catalog):
        for predicate in use.predicates:
            number = predicate.parameter
            column = catalog.column(use.table, predicate.target)
            if column and number in parameters:
                found[number] = Parameter(
                    number, parameters[number].type, column, predicate.ask, predicate.operator
                )
    return found


def _filled(
    sql: str,
    places: Mapping[int, int],
    parameters: Mapping[int, Parameter],
    fixed: Mapping[int, str],
    label: str,
) -> str:
    text = sql.encode()
    for offset in sorted(places, reverse=True):
        number = places[offset]
        end = offset + len(f"${number}")
        known = parameters.get(number, Parameter(number, "text"))
        written = fixed.get(number) or values.value(known, label)
        rest = _REST.match(text, end)
        if rest:
            chosen = dict.fromkeys(values.value(known, way) for way in values.VARIANTS)
            written, end = ", ".join(list(chosen)[:LIST]), rest.end()
        text = text[:offset] + written.encode() + text[end:]
    return text.decode()
