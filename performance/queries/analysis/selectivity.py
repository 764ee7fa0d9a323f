"""How many rows of a table a set of conditions leaves, by asking the planner."""

from __future__ import annotations

from collections.abc import Iterable

from performance.queries.analysis import expressions
from performance.queries.analysis.catalog import Catalog, Table
from performance.queries.analysis.database import Database
from performance.queries.analysis.exceptions import NotPlanned
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.plans import plan_of
from performance.queries.analysis.predicates import Ask, Predicate


class Selectivity:
    """Remembers the answers: the same conditions are asked about for many candidates."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self.database = database
        self.catalog = catalog
        self._known: dict[tuple[int, str], float] = {}

    def rows(self, table: Table, predicates: Iterable[Predicate]) -> float:
        """The planner's guess of the rows that satisfy all the predicates."""
        written, share = [], 1.0
        for predicate in predicates:
            text = condition(predicate)
            if text:
                written.append(text)
            else:
                share *= self._unknown(table, predicate)
        return max(1.0, self.asked(table, " AND ".join(sorted(set(written)))) * share)

    def _unknown(self, table: Table, predicate: Predicate) -> float:
        """The share for a value that is not known: another table's, or a subquery's."""
        if predicate.ask is Ask.RANGE:
            return 1 / 3
        column = self.catalog.column(table, predicate.target)
        return 1 / (column.distinct(table.rows) if column else 200.0)

    def asked(self, table: Table, text: str) -> float:
        """Rows that satisfy a condition that is written already."""
        key = (table.oid, text)
        if text and key not in self._known:
            name = f"{quoted(table.schema)}.{quoted(table.name)}"
            try:
                plan = plan_of(self.database.explain(f"SELECT 1 FROM {name} WHERE {text}"))  # noqa: S608
                # A parallel scan's own rows are a worker's share; what is gathered is the whole.
                self._known[key] = plan.rows
            except NotPlanned:
                self._known[key] = table.rows
        return self._known.get(key, table.rows)


def condition(predicate: Predicate) -> str:
    """The predicate as SQL, "" where its value is not known."""
    name = quoted(predicate.target) if predicate.plain else predicate.target
    if predicate.ask in (Ask.NULL, Ask.NOT_NULL):
        return f"{name} IS {'NOT ' if predicate.ask is Ask.NOT_NULL else ''}NULL"
    if predicate.operator == "bool":
        truth = predicate.value["A_Const"]["boolval"].get("boolval")
        return name if truth else f"NOT {name}"
    value = expressions.sql(predicate.value) if predicate.value and not predicate.joins else None
    if value is None or "$" in value:
        return ""
    right = f"ANY ({value})" if predicate.many else value
    return f"{name} {predicate.operator} {right}"
