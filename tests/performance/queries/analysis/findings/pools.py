"""What the finders say of a pool; they look at nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from performance.queries.analysis.findings import Facts, Finding, kinds
from performance.queries.analysis.findings.base import finders
from performance.queries.analysis.pools import Pool

QUIET = {"waits": 0, "p95": 0.0, "most_waiting": 0, "timeouts": 0, "lost": 0}


def found(kind: str, **figures: Any) -> list[Finding]:
    """The findings of one kind; without figures no pool was measured."""
    kinds()
    pool = Pool(**(QUIET | figures)) if figures else None
    return list(finders[kind](cast("Facts", SimpleNamespace(pool=pool))))
