"""A report as plain data: what JSON shows, and what the other forms are written from."""

from __future__ import annotations

from typing import Any

from performance.queries.analysis.advisor import Suggestion
from performance.queries.analysis.analysis import Report
from performance.queries.analysis.django_index import index_line, migration
from performance.queries.analysis.findings import Finding
from performance.queries.analysis.statements import Statement
from performance.queries.fingerprint import normalised

LONGEST = 2_000  # characters of a statement that are shown


def as_data(report: Report) -> dict[str, Any]:
    """The report as dictionaries and lists; no value of any row or statement is in it."""
    return {
        "database": report.database,
        "postgresql": report.version,
        "made_at": report.made_at.isoformat(timespec="seconds"),
        "seconds": round(report.seconds, 2),
        "totals": {
            "statements": report.total_statements,
            "seconds": round(report.total_seconds, 3),
            "skipped": len(report.skipped),
        },
        "indexes_judged_by": report.verifier,
        "notes": report.notes,
        "statements": [_statement(one, report) for one in report.statements],
        "findings": [_finding(one) for one in report.findings],
        "suggestions": [suggestion_data(one) for one in report.suggestions],
        "skipped": [{"statement": name, "reason": why} for name, why in report.skipped],
    }


def _statement(one: Statement, report: Report) -> dict[str, Any]:
    return {
        "id": one.id,
        "sql": normalised(one.sql)[:LONGEST],
        "source": one.source,
        "calls": one.calls,
        "seconds": round(one.seconds, 6),
        "share": round(report.shares.get(one.id, 0.0), 4),
        "mean_ms": round(one.mean * 1000, 3),
        "p95_ms": None if one.p95 is None else round(one.p95 * 1000, 3),
        "rows_returned": one.rows,
        "rows_read": _rows_read(report, one),
        "cache_hit_ratio": None if one.hit_ratio is None else round(one.hit_ratio, 4),
        "callers": list(one.callers),
        "trend": None if one.trend is None else round(one.trend, 2),
        "plan": report.plans.get(one.id),
    }


def _rows_read(report: Report, one: Statement) -> int | None:
    """Rows that the plan reads over all calls, as the planner expects."""
    each = report.read.get(one.id)
    return None if each is None else round(each * one.calls)


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "severity": str(one.severity),
        "about": one.about,
        "said": one.said,
        "remedy": one.remedy,
        "sql": one.sql,
        "statement": one.statement,
    }


def suggestion_data(one: Suggestion) -> dict[str, Any]:
    """A suggestion with its evidence."""
    return {
        "table": one.index.table,
        "name": one.index.name,
        "confidence": one.confidence,
        "cost_before": round(one.cost_before, 2),
        "cost_after": round(one.cost_after, 2),
        "ratio": round(one.ratio, 4),
        "size": one.size,
        "write_entries": one.entries,
        "blocks_hot": one.blocks_hot,
        "supersedes": one.supersedes,
        "gains": [
            {
                "statement": gain.statement,
                "calls": gain.calls,
                "before": round(gain.before, 2),
                "after": round(gain.after, 2),
            }
            for gain in one.gains
        ],
        "plan_before": one.plan_before,
        "plan_after": one.plan_after,
        "sql": one.index.create(),
        "django": index_line(one.index),
        "migration": migration(one.index),
    }
