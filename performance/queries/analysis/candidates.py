"""The indexes worth asking the planner about, for one use of a table.

A candidate is a tuple: the arms of an OR want an index each, which only help together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from performance.queries.analysis import expressions
from performance.queries.analysis.catalog import Catalog, Column
from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.indexes import IndexDefinition, Key
from performance.queries.analysis.literals import without_literals
from performance.queries.analysis.predicates import Ask, Predicate
from performance.queries.analysis.uses import Use
from performance.queries.analysis.values import elements

Candidate = tuple[IndexDefinition, ...]

MOST_KEYS = 4
MOST_INCLUDED = 3
WIDEST_INCLUDED = 32  # bytes on average
RARE = 0.05  # of the rows: a constant that a partial index is worth
STATES = 50  # different values at most of a column that a partial index picks one of
BRIN_ROWS = 500_000
BRIN_CORRELATION = 0.95


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the candidates of one use; its columns are known by name."""

    use: Use
    columns: dict[str, Column]

    def index(self, keys: Iterable[Key], **facts: object) -> IndexDefinition:
        table = self.use.table
        return IndexDefinition(
            schema=table.schema, table=table.name, keys=tuple(keys)[:MOST_KEYS],
            partitioned=table.kind == "p", **facts,  # type: ignore[arg-type]
        )  # fmt: skip

    def key(self, predicate: Predicate) -> Key:
        """The key that serves a condition."""
        operators = ""
        if predicate.ask is Ask.PREFIX:
            operators = self._pattern_operators(predicate)
        return Key(target=predicate.target, plain=predicate.plain, operators=operators)

    def known(self, index: IndexDefinition) -> bool:
        """Whether each value in an index's expressions is the statement's own."""
        written = [key.target for key in index.keys if not key.plain]
        if any("$" in text for text in written):
            return False
        return self.use.constants or all(without_literals(text) == text for text in written)

    def _pattern_operators(self, predicate: Predicate) -> str:
        column = self.columns.get(predicate.target)
        base = column.base if column else "text"
        return {"varchar": "varchar_pattern_ops", "bpchar": "bpchar_pattern_ops"}.get(
            base, "text_pattern_ops"
        )

    def selective_first(self, predicates: Iterable[Predicate]) -> list[Predicate]:
        rows = self.use.table.rows

        def distinct(predicate: Predicate) -> float:
            column = self.columns.get(predicate.target)
            return column.distinct(rows) if column else 200.0

        return sorted(predicates, key=lambda predicate: (-distinct(predicate), predicate.target))


def candidates_of(use: Use, catalog: Catalog) -> list[Candidate]:
    """All candidates of a use, without repetition, the plainest first."""
    maker = Maker(use, catalog.columns(use.table.oid))
    wholes = [p for p in use.predicates if p.arm is None]
    found: dict[Candidate, None] = {}
    for index in itertools.chain(_trees(maker, wholes), _partial(maker, wholes), _others(maker)):
        found.setdefault((index,))
    for group in _alternatives(maker, wholes):
        found.setdefault(group)
    groups = [group for group in found if all(maker.known(index) for index in group)]
    return sorted(groups, key=lambda group: [index.burden for index in group])


def _of(predicates: Iterable[Predicate], *asks: Ask) -> list[Predicate]:
    """Those that ask in one of these ways, one for each target."""
    chosen = (p for p in predicates if p.ask in asks)
    return list({p.target: p for p in chosen}.values())


def _trees(maker: Maker, predicates: list[Predicate]) -> Iterator[IndexDefinition]:
    """B-trees: equalities by selectivity, then one range or the order."""
    joins = [p for p in predicates if p.joins]
    fixed = [p for p in predicates if not p.joins]
    for chosen in (fixed, [*fixed, *joins], joins):
        equal = maker.selective_first(_of(chosen, Ask.EQUAL, Ask.NULL))
        ranges = _of(chosen, Ask.RANGE, Ask.PREFIX)
        yield from _with_ends(maker, [maker.key(p) for p in equal], [maker.key(p) for p in ranges])
    single = [p for p in _of(joins, Ask.EQUAL) if p.ask is Ask.EQUAL]
    for join in single:
        equal = maker.selective_first(_of(fixed, Ask.EQUAL, Ask.NULL))
        yield from _with_ends(maker, [maker.key(join), *map(maker.key, equal)], [])
        yield from _with_ends(maker, [*map(maker.key, equal), maker.key(join)], [])
        yield from _with_ends(maker, [maker.key(join)], [])


def _with_ends(maker: Maker, equal: list[Key], ranges: list[Key]) -> Iterator[IndexDefinition]:
    """An index for each way to go on after the equalities, and for fewer equalities."""
    equal = _unique(equal)
    orders = [*maker.use.sorts, *maker.use.groups]
    starts = [
        equal,
        *([key] for key in equal),
        *(list(p) for p in itertools.combinations(equal, 2)),
    ]
    starts = [equal, *starts] if equal else [[]]
    for start in starts:
        if start:
            yield from _covering(maker, start)
        for end in [*map(_bare, ranges), *ranges]:
            yield from _covering(maker, _unique([*start, end]))
    for order in orders:
        rest = [key for key in order if key.target not in {k.target for k in equal}]
        if rest:
            yield from _covering(maker, [*equal, *rest])
            yield maker.index(rest)
            for end in ranges:
                if end.target not in {key.target for key in rest}:
                    yield maker.index([*equal, *rest, end])


def _bare(key: Key) -> Key:
    """The key as it serves a LIKE where the collation is that of C."""
    return replace(key, operators="")


def _unique(keys: Iterable[Key]) -> list[Key]:
    return list({key.target: key for key in keys}.values())


def _covering(maker: Maker, keys: list[Key]) -> Iterator[IndexDefinition]:
    """The index, and the one that holds all the statement reads, where that is little."""
    yield maker.index(keys)
    rest = [name for name in maker.use.needed if name not in {key.target for key in keys}]
    plain = all(key.plain for key in keys)
    if plain and 0 < len(rest) <= MOST_INCLUDED and all(map(_narrow(maker), rest)):
        yield maker.index(keys, include=tuple(sorted(rest)))


def _narrow(maker: Maker) -> Callable[[str], bool]:
    def narrow(name: str) -> bool:
        column = maker.columns.get(name)
        return bool(column and (column.avg_width or 1000) <= WIDEST_INCLUDED)

    return narrow


def _partial(maker: Maker, predicates: list[Predicate]) -> Iterator[IndexDefinition]:
    """Indexes of a few rows: where a constant of the statement itself is rare."""
    for predicate in predicates:
        where = _where(maker, predicate)
        if not where:
            continue
        others = [p for p in predicates if p.target != predicate.target]
        equal = [maker.key(p) for p in maker.selective_first(_of(others, Ask.EQUAL))]
        ranges = [maker.key(p) for p in _of(others, Ask.RANGE)]
        orders = [list(order) for order in maker.use.sorts]
        for keys in ([*equal, *ranges[:1]], *([*equal, *order] for order in orders)):
            yield maker.index(_unique(keys) or [maker.key(predicate)], where=where)


def _where(maker: Maker, predicate: Predicate) -> str:
    """The condition as an index can have it, "" where it is not rare or not constant."""
    column = maker.columns.get(predicate.target)
    if column is None or predicate.joins or predicate.many:
        return ""
    name = quoted(predicate.target)
    if predicate.ask is Ask.NULL:
        return f"{name} IS NULL" if (column.null_frac or 0) < RARE else ""
    if predicate.ask is Ask.NOT_NULL:
        return f"{name} IS NOT NULL" if 1 - (column.null_frac or 0) < RARE else ""
    if predicate.operator == "bool":
        return _where_flag(name, column, predicate)
    value = expressions.sql(predicate.value) if predicate.value else None
    if predicate.ask is not Ask.EQUAL or not value or not maker.use.constants:
        return ""
    few = 0 < column.distinct(maker.use.table.rows) <= STATES
    return f"{name} = {value}" if few and frequency(column, predicate) < RARE else ""


def _where_flag(name: str, column: Column, predicate: Predicate) -> str:
    truth = bool(predicate.value["A_Const"]["boolval"].get("boolval"))
    common = dict(zip(elements(column.common), column.frequencies or [], strict=False))
    if not common or common.get("t" if truth else "f", 0.0) >= RARE:
        return ""
    return name if truth else f"NOT {name}"


def frequency(column: Column, predicate: Predicate) -> float:
    """The share of rows that have the predicate's constant, as ANALYZE found it."""
    value = _plain_value(predicate)
    values = elements(column.common)
    known = dict(zip(values, column.frequencies or [], strict=False))
    return known.get(value, 1.0)


def _plain_value(predicate: Predicate) -> str:
    written = expressions.sql(predicate.value) or ""
    return written.partition("::")[0].strip("()").strip("'").replace("''", "'")


def _others(maker: Maker) -> Iterator[IndexDefinition]:
    """GIN for members, trigrams for words within, BRIN for what lies in order."""
    for predicate in maker.use.predicates:
        if predicate.ask is Ask.MEMBER:
            yield from _inverted(maker, predicate)
        elif predicate.ask is Ask.WITHIN and predicate.operator in {"~~", "~~*", "~", "~*"}:
            key = Key(target=predicate.target, plain=predicate.plain, operators="gin_trgm_ops")
            yield maker.index([key], method="gin")
        elif predicate.ask is Ask.RANGE and predicate.plain:
            column = maker.columns.get(predicate.target)
            ordered = column and abs(column.correlation or 0) > BRIN_CORRELATION
            if ordered and maker.use.table.rows > BRIN_ROWS:
                yield maker.index([Key(target=predicate.target)], method="brin")


def _inverted(maker: Maker, predicate: Predicate) -> Iterator[IndexDefinition]:
    column = maker.columns.get(predicate.target)
    key = Key(target=predicate.target, plain=predicate.plain)
    indexable = column is None or column.base in {"jsonb", "tsvector"} or column.category == "A"
    if not indexable or predicate.joins:
        return
    if column and column.base == "jsonb" and predicate.operator == "@>":
        yield maker.index([replace(key, operators="jsonb_path_ops")], method="gin")
    yield maker.index([key], method="gin")


def _alternatives(maker: Maker, wholes: list[Predicate]) -> Iterator[Candidate]:
    """For each OR: one index for every arm, alone and after the equalities outside it."""
    arms: dict[int, dict[int, list[Predicate]]] = {}
    for predicate in maker.use.predicates:
        if predicate.arm is not None and not predicate.joins:
            arms.setdefault(predicate.arm[0], {}).setdefault(predicate.arm[1], []).append(predicate)
    outside = [maker.key(p) for p in maker.selective_first(_of(wholes, Ask.EQUAL))]
    for alternatives in arms.values():
        if len(alternatives) < 2 or len(alternatives) > MOST_KEYS:
            continue
        for start in ([], outside) if outside else ([],):
            group = [_arm(maker, start, arm) for arm in alternatives.values()]
            if all(group):
                yield tuple(dict.fromkeys(index for index in group if index))


def _arm(maker: Maker, start: list[Key], predicates: list[Predicate]) -> IndexDefinition | None:
    within = [p for p in predicates if p.ask is Ask.WITHIN and p.operator != ""]
    if within:
        key = Key(target=within[0].target, plain=within[0].plain, operators="gin_trgm_ops")
        return maker.index([key], method="gin")
    equal = maker.selective_first(_of(predicates, Ask.EQUAL, Ask.NULL))
    ranges = _of(predicates, Ask.RANGE, Ask.PREFIX)
    keys = _unique([*start, *(maker.key(p) for p in [*equal, *ranges[:1]])])
    return maker.index(keys) if len(keys) > len(start) else None
