"""Whether the repeats of a statement in one scope are a loop that one statement could replace.

Told apart are rows asked for one by one (N+1: the value of an equality differs from run to run), the
same question asked again (duplicate) and rows written one by one. Innocent are batches (lists of values,
keyset pages), retries, locks, and what was read again because something had been written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from performance.queries.call_sites import Site
from performance.queries.conditions import (
    Asked,
    Column,
    alike,
    differing,
    differing_texts,
    list_length,
)
from performance.queries.fingerprint import Fingerprint
from performance.queries.relations import remedy_for_rows
from performance.queries.statements import Statement

REPEATS = 3
WRITES = 10
"""Writes of one statement in one scope that are a loop; fewer are not worth a word."""
SHORT_LIST = 10
"""Values of a list, on average, up to which lists of changing length are a loop over parents."""

_LOCKS = re.compile(r"\bFOR (?:NO KEY )?(?:UPDATE|SHARE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Repetition:
    """`finding` is a QuerySample.Finding; `wasted` the nanoseconds of all runs but the slowest."""

    finding: str
    remedy: str
    site: Site | None
    repeats: int
    wasted: int
    correlation_id: str


def judge(
    statements: Sequence[Statement], found: Fingerprint, tables: Sequence[str]
) -> Repetition | None:
    """What the statements of one fingerprint in one scope come to; None where they are innocent.

    `tables` are those that the scope read.
    """
    loops = [one for one in statements if not one.many and len(one.runs) // 2 >= REPEATS]
    if found.kind in {"insert", "update", "delete"}:
        return _writes(loops)
    # Without a table it is a function's effect that is wanted, such as an advisory lock.
    if found.kind != "select" or not found.tables or _LOCKS.search(found.sql):
        return None
    for one in loops:
        told = _reads(one, found, tables)
        if told is not None:
            return told
    return _written_out(statements, found, tables)


def _writes(loops: list[Statement]) -> Repetition | None:
    for one in loops:
        if one.is_loop and len(one.runs) // 2 >= WRITES and not _has_rows(one.sql):
            return _told([one], "write_loop", "Write all rows at once: bulk_create, bulk_update.")
    return None


def _has_rows(sql: str) -> bool:
    """INSERT with more than one row, or from arrays: a batch."""
    return "), (" in sql or "UNNEST(" in sql


def _reads(one: Statement, found: Fingerprint, tables: Sequence[str]) -> Repetition | None:
    good = len(one.runs) // 2 - sum(one.errors.values())
    if not one.is_loop or min(good, len(one.early_params)) < REPEATS:
        return None
    runs = [*one.early_params, one.worst_params]
    follows = one.loop.field if one.loop else ""
    if not follows and all(alike(runs[0], other) for other in runs[1:]):
        if len(set(one.early_writes)) > 1:
            return None
        return _told([one], "duplicate", "Ask once and keep the answer, or cache it.")
    column = ("", "") if follows else differing(one.sql, runs)
    if column is None:
        return None
    return _told([one], "n_plus_one", _remedy(found, column, one.loop, tables))


def _remedy(found: Fingerprint, column: Column, site: Site | None, tables: Sequence[str]) -> str:
    column = (column[0] or (found.tables[0] if found.tables else ""), column[1])
    others = [table for table in tables if table != column[0]]
    return remedy_for_rows(found.sql, column, site.field if site else "", others)


def _written_out(
    statements: Sequence[Statement], found: Fingerprint, tables: Sequence[str]
) -> Repetition | None:
    """Texts that differ in values written into them, or in the length of a list, from one line."""
    for site in {one.site for one in statements if one.site}:
        same = [one for one in statements if one.site == site and not (one.many or one.errors)]
        if len(same) < REPEATS or _are_batches(same):
            continue
        column = differing_texts([Asked(one.sql, one.worst_params) for one in same])
        if column is not None:
            return _told(same, "n_plus_one", _remedy(found, column, site, tables))
    return None


def _are_batches(statements: list[Statement]) -> bool:
    return sum(list_length(one.sql) for one in statements) > SHORT_LIST * len(statements)


def _told(statements: list[Statement], finding: str, remedy: str) -> Repetition:
    total = sum(one.nanoseconds for one in statements)
    return Repetition(
        finding=finding,
        remedy=remedy[:300],
        site=next((one.loop for one in statements if one.loop), statements[0].site),
        repeats=sum(len(one.runs) // 2 for one in statements),
        wasted=total - max(one.slowest for one in statements),
        correlation_id=next((one.correlation_id for one in statements if one.correlation_id), ""),
    )
