"""The whole analysis, from what was asked to what should be done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from performance.queries.analysis.advisor import Suggestion, suggestions
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database
from performance.queries.analysis.findings import Facts, Finding, Severity, find_all
from performance.queries.analysis.measuring import measured
from performance.queries.analysis.pools import Pool
from performance.queries.analysis.privileges import missing_privileges
from performance.queries.analysis.statements import Statement
from performance.queries.analysis.verifiers import choose
from performance.queries.analysis.workload import Asked, Workload, prepare
from performance.queries.analysis.writes import writes_of

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to look at, and how far to go."""

    limit: int = 20  # statements shown
    planned: int = 200  # statements that are planned, the most costly first
    since: timedelta = timedelta(days=1)
    min_calls: int = 1
    app: str = ""
    source: str = "both"  # app, pgss or both
    analyze: bool = False
    verify: str = "auto"  # auto, hypopg, clone or none


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found; nothing in it holds a value of any row or statement."""

    database: str
    version: int
    made_at: datetime
    seconds: float
    statements: list[Statement]
    shares: dict[str, float]
    findings: list[Finding]
    suggestions: list[Suggestion]
    verifier: str
    notes: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    plans: dict[str, dict[str, object]] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)  # rows that a call's plan reads
    total_statements: int = 0
    total_seconds: float = 0.0

    def at_least(self, severity: Severity) -> list[Finding]:
        """Findings of this severity or a worse one."""
        return [one for one in self.findings if one.severity.rank <= severity.rank]


def analysed(
    database: Database,
    statements: list[Statement],
    options: Options,
    notes: list[str] | None = None,
    progress: Progress = lambda stage, done, of: None,
    pool: Pool | None = None,
) -> Report:
    """Analyses `statements`, most costly first, and the database that they run on.

    pool: how this project's processes waited for connections to it, where they measured that.
    """
    started = time.perf_counter()
    catalog = Catalog(database)
    verifier, note = choose(database, catalog, options.verify)
    chosen = statements[: options.planned]
    with verifier:
        workload = prepare(
            chosen, database, catalog, verifier, lambda n: progress("planning", n, len(chosen))
        )
        if options.analyze:
            measured(workload, database, lambda n: progress("measuring", n, len(workload.asked)))
        progress("choosing indexes", 0, 1)
        found = suggestions(workload, catalog, writes_of(statements))
        progress("choosing indexes", 1, 1)
        confidence = verifier.confidence
    facts = Facts(
        database=database, catalog=catalog, statements=statements, asked=workload.asked,
        suggestions=found, analyzed=options.analyze, pool=pool,
    )  # fmt: skip
    findings, failed = find_all(facts)
    remarks = [*(notes or []), note, *missing_privileges(database, catalog)]
    if catalog.locked:
        remarks.append("A table that somebody holds locked is left out.")
    remarks += [f"{kind} could not be looked for: {why}." for kind, why in failed.items()]
    return Report(
        database=database.name,
        version=database.version,
        made_at=datetime.now(UTC),
        seconds=time.perf_counter() - started,
        statements=statements[: options.limit],
        shares={one.id: facts.share(one) for one in statements[: options.limit]},
        findings=findings,
        suggestions=found,
        verifier=confidence,
        notes=[remark for remark in remarks if remark],
        skipped=workload.skipped,
        plans=_plans(workload, options.limit),
        read={item.statement.id: _rows_read(item) for item in workload.asked},
        total_statements=len(statements),
        total_seconds=sum(one.seconds for one in statements),
    )


def _plans(workload: Workload, limit: int) -> dict[str, dict[str, object]]:
    return {item.statement.id: item.plan.shown() for item in workload.asked[:limit]}


def _rows_read(item: Asked) -> float:
    """Rows that the statement's plan looks at; a scan from end to end looks at all."""
    whole = {use.alias: use.table.rows for use in item.uses if use.scanned}
    return sum(
        whole.get(node.alias, node.rows) if node.kind == "Seq Scan" else node.rows
        for node in item.plan.walk()
        if node.table and node.kind != "ModifyTable"
    )
