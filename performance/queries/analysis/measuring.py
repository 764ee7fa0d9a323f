"""Running statements under EXPLAIN ANALYZE: only where asked for, only what reads."""

from __future__ import annotations

from collections.abc import Callable

from performance.queries.analysis import parsing
from performance.queries.analysis.database import Database
from performance.queries.analysis.exceptions import NotPlanned
from performance.queries.analysis.plans import plan_of
from performance.queries.analysis.workload import Workload

WRITES = {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}


def measured(workload: Workload, database: Database, progress: Callable[[int], None]) -> None:
    """Puts what really happened into the plans of reading statements.

    They run in a read-only transaction with a timeout; one that fails keeps its estimated plan.
    """
    for done, item in enumerate(workload.asked, start=1):
        sql = item.variants[0].sql
        if reads_only(sql):
            try:
                item.plans[0] = plan_of(database.explain(sql, analyze=True))
            except NotPlanned as error:
                workload.skipped.append((item.statement.id, f"not measured: {error.reason}"))
        progress(done)


def reads_only(sql: str) -> bool:
    """Whether a statement neither writes nor locks rows, in its WITH clauses either."""
    tree = parsing.single(sql)
    if tree is None or "SelectStmt" not in tree:
        return False
    return not any(
        name in WRITES or fields.get("lockingClause") or fields.get("intoClause")
        for name, fields in parsing.walk(tree)
    )
