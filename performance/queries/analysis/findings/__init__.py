"""What is wrong with a database and its statements: every file here looks for one kind."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import psycopg

from performance.queries.analysis.database import reason
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finders

__all__ = ["Facts", "Finding", "Severity", "find_all", "kinds"]


def kinds() -> list[str]:
    """Names of all kinds of findings."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return sorted(finders)


def find_all(facts: Facts) -> tuple[list[Finding], dict[str, str]]:
    """All findings, the worst first, and for each kind that could not be looked for, why."""
    found: list[Finding] = []
    failed: dict[str, str] = {}
    for kind in kinds():
        try:
            found += finders[kind](facts)
        except psycopg.Error as error:
            failed[kind] = reason(error)
    return sorted(found, key=lambda one: (one.severity.rank, -one.weight)), failed
