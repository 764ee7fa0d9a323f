"""What one statement asks of one table, gathered over its plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from performance.queries.analysis import parsing
from performance.queries.analysis.catalog import Catalog, Table
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.indexes import Key
from performance.queries.analysis.plans import Plan
from performance.queries.analysis.predicates import Ask, Predicate, of_condition, target_of

_SUFFIX = re.compile(r"(?P<desc> DESC)?(?: NULLS (?P<nulls>FIRST|LAST))?$")
_COLLATE = re.compile(r' COLLATE "[^"]+"')
_WORD = re.compile(r"\w+")
EXTREME = re.compile(r"^(?:PARTIAL )?(min|max)\((?P<of>.+)\)$", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class Use:
    """One occurrence of a table in a statement."""

    alias: str
    table: Table
    predicates: list[Predicate] = field(default_factory=list)
    sorts: list[tuple[Key, ...]] = field(default_factory=list)
    groups: list[tuple[Key, ...]] = field(default_factory=list)
    needed: tuple[str, ...] = ()  # columns that the statement reads
    rows: float = 0.0  # that the scan gives on
    cost: float = 0.0  # of the scan
    scanned: bool = False  # read from end to end
    constants: bool = True  # whether the values are the statement's own, not chosen to plan it


def uses_of(plan: Plan, catalog: Catalog) -> list[Use]:
    """The tables that `plan` reads, each with all that is asked of it."""
    uses: dict[str, Use] = {}
    for node, above in _with_ancestors(plan):
        table = catalog.table(node.schema, node.table) if node.table else None
        if table and node.alias:
            use = uses.setdefault(node.alias, Use(alias=node.alias, table=table))
            _scan(use, node, above, catalog)
    for node in plan.walk():
        _ask(node, uses, catalog)
    return list(uses.values())


def _with_ancestors(plan: Plan) -> Iterator[tuple[Plan, tuple[Plan, ...]]]:
    """Every node with those above it, the nearest last."""
    waiting: list[tuple[Plan, tuple[Plan, ...]]] = [(plan, ())]
    while waiting:
        node, above = waiting.pop()
        yield node, above
        waiting += [(child, (*above, node)) for child in reversed(node.children)]


def _scan(use: Use, node: Plan, above: tuple[Plan, ...], catalog: Catalog) -> None:
    if node.kind == "ModifyTable":
        return
    use.rows, use.cost = node.rows, max(use.cost, node.total_cost)
    use.scanned = use.scanned or node.kind == "Seq Scan"
    known = catalog.columns(use.table.oid)
    found = [name for name in _needed(use.alias, node, above) if name in known]
    use.needed = tuple(dict.fromkeys([*use.needed, *found]))


def _needed(alias: str, node: Plan, above: tuple[Plan, ...]) -> list[str]:
    """Columns that the statement wants of a scan.

    A scan gives on whole rows where its parent does not mind, so the parent's own words decide.
    """
    wanted = (
        list(above[-1].output) if above and above[-1].kind != "ModifyTable" else list(node.output)
    )
    for one in (*above, node):
        wanted += [*one.conditions.values(), *one.sort_keys, *one.group_keys]
    found = [name for text in wanted for name in columns_in(text, alias)]
    # With one table in the statement, PostgreSQL leaves its alias out of what a node gives on.
    if not any(columns_in(text, alias) for text in node.output):
        found += [name for text in wanted for name in _WORD.findall(text)]
    return found


def columns_in(text: str, alias: str) -> list[str]:
    """Names of the alias's columns that an expression of a plan mentions."""
    pattern = rf'(?<![\w"]){re.escape(alias)}\.("(?:[^"]|"")+"|\w+)'
    return [name.strip('"') for name in re.findall(pattern, text)]


def _ask(node: Plan, uses: dict[str, Use], catalog: Catalog) -> None:
    for text in node.conditions.values():
        for predicate in of_condition(text):
            use = uses.get(predicate.alias)
            if predicate.joins and node.table and node.alias == predicate.alias:
                predicate = replace(predicate, bound=True)
            predicate = _cast(predicate, use, catalog)
            if use and predicate not in use.predicates:
                use.predicates.append(predicate)
    _order(node.sort_keys, uses, "sorts")
    _order(node.group_keys, uses, "groups")
    if node.kind == "Aggregate":
        for text in node.output:
            _extreme(text, uses)


def _cast(predicate: Predicate, use: Use | None, catalog: Catalog) -> Predicate:
    """A number cast to text is another thing than the number; a varchar is not."""
    column = catalog.column(use.table, predicate.target) if use and predicate.cast else None
    if column is None or column.category == "S":
        return predicate
    return replace(predicate, target=f"{quoted(predicate.target)}::{predicate.cast}")


def _extreme(text: str, uses: dict[str, Use]) -> None:
    """max(x) and min(x) are the ends of an index on x."""
    found = EXTREME.match(text)
    if found and len(uses) == 1 and _WORD.fullmatch(found["of"]):
        _order([f"{next(iter(uses))}.{found['of']}"], uses, "sorts")
    elif found:
        _order([found["of"]], uses, "sorts")


def _order(texts: Iterable[str], uses: dict[str, Use], where: str) -> None:
    """Notes an order as far as it is of one table alone."""
    keys: list[Key] = []
    alias = ""
    for text in texts:
        found = key_of(text)
        if found is None or (alias and found[0] != alias):
            break
        alias, key = found
        keys.append(key)
    if keys and alias in uses:
        orders: list[tuple[Key, ...]] = getattr(uses[alias], where)
        if tuple(keys) not in orders:
            orders.append(tuple(keys))


def key_of(text: str) -> tuple[str, Key] | None:
    """(alias, key) of a sort key as a plan writes it."""
    text = _COLLATE.sub("", text)
    suffix = _SUFFIX.search(text)
    bare = text[: suffix.start()] if suffix else text
    found = parsing.parsed(f"SELECT {bare}")
    if not found:
        return None
    node = (
        found[0]
        .get("SelectStmt", {})
        .get("targetList", [{}])[0]
        .get("ResTarget", {})
        .get("val", {})
    )
    aliases = set(re.findall(r'((?:"[^"]+"|\w+))\.', bare))
    target = target_of(node)
    if target is None or len(aliases) != 1:
        return None
    descending = bool(suffix and suffix["desc"])
    nulls = {"FIRST": True, "LAST": False}.get(suffix["nulls"] or "") if suffix else None
    plain = target[1] == (target[0],)
    key = Key(target=target[0], plain=plain, descending=descending, nulls_first=nulls)
    return aliases.pop().strip('"'), key


def joined(use: Use) -> list[Predicate]:
    """The equalities by which another table's rows find this one's."""
    return [p for p in use.predicates if p.joins and p.ask is Ask.EQUAL]
