"""What is notable about one scope that has ended: the rows of QuerySample that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from performance import conf
from performance.queries.budgets import budget_of
from performance.queries.call_sites import Site
from performance.queries.fingerprint import Fingerprint, fingerprint
from performance.queries.repetition import judge
from performance.queries.scope import Scope
from performance.queries.statements import Statement

OWN_TABLES = "performance_"

Group = tuple[Fingerprint, list[Statement]]


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is a QuerySample.Finding; `fingerprint` None for what concerns the scope as a whole."""

    kind: str
    fingerprint: Fingerprint | None
    site: Site | None
    seconds: float
    repeats: int = 1
    remedy: str = ""
    correlation_id: str = ""


def groups_of(scope: Scope) -> list[Group]:
    """The scope's statements by fingerprint, without those about this app's own tables."""
    groups: dict[int, Group] = {}
    for statement in list(scope.statements.values()):
        found = fingerprint(statement.sql, statement.alias)
        if not _is_ignored(found):
            groups.setdefault(found.id, (found, []))[1].append(statement)
    return list(groups.values())


def _is_ignored(found: Fingerprint) -> bool:
    ignored = conf.current().queries.ignore_tables
    return bool(found.tables) and all(
        table.startswith(OWN_TABLES) or table in ignored for table in found.tables
    )


def findings_of(scope: Scope, groups: Sequence[Group]) -> Iterator[Finding]:
    """All findings of the scope."""
    tables = list(dict.fromkeys(table for found, _ in groups for table in found.tables))
    for found, statements in groups:
        yield from _of_statements(scope, found, statements, tables)
    yield from _of_scope(scope)


def _of_statements(
    scope: Scope, found: Fingerprint, statements: Sequence[Statement], tables: Sequence[str]
) -> Iterator[Finding]:
    slowest = max(statements, key=lambda one: one.slowest)
    if slowest.slowest >= scope.slow:
        yield _finding("slow", found, slowest)
    told = judge(statements, found, tables)
    if told is not None:
        yield Finding(
            kind=told.finding,
            fingerprint=found,
            site=told.site,
            seconds=told.wasted / 1e9,
            repeats=told.repeats,
            remedy=told.remedy,
            correlation_id=told.correlation_id,
        )
    for one in statements:
        if one.late:
            yield _finding("after_response", found, one)
        elif one.site is not None and one.site.template:
            yield _finding("in_template", found, one)
        elif scope.detailed and one.slowest < scope.slow and told is None:
            yield _finding("sampled", found, one)


def _finding(kind: str, found: Fingerprint, one: Statement) -> Finding:
    return Finding(
        kind=kind,
        fingerprint=found,
        site=one.site or one.loop,
        seconds=max(one.slowest, 0) / 1e9,
        repeats=len(one.runs) // 2,
        correlation_id=one.correlation_id,
    )


def _of_scope(scope: Scope) -> Iterator[Finding]:
    settings = conf.current().queries
    if scope.waited >= settings.connection_wait_ms * 1e6:
        yield Finding("connection_wait", None, None, scope.wait_seconds)
    for seconds, site, correlation_id in scope.transactions:
        yield Finding("long_transaction", None, site, seconds, correlation_id=correlation_id)
    budget = budget_of(scope)
    exceeded = budget.exceeded(scope) if budget else ""
    if exceeded:
        yield Finding("budget", None, None, scope.seconds, scope.count, f"{exceeded}.")
