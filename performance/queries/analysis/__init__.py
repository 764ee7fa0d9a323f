"""Which statements hurt, why, and what cures them.

    from performance.queries.analysis import Options, analyse, render

    print(render(analyse("default", Options()), "text"))

Nothing here is imported by a request: only the command, tasks and the admin's pages come this way.
"""

from __future__ import annotations

from performance.queries.analysis.analysis import Options, Report
from performance.queries.analysis.exceptions import AnalysisError
from performance.queries.analysis.findings import Severity
from performance.queries.analysis.keeping import judge_applied, keep, look_for_applied
from performance.queries.analysis.report import FORMATS, render
from performance.queries.analysis.running import analyse

__all__ = [
    "FORMATS",
    "AnalysisError",
    "Options",
    "Report",
    "Severity",
    "analyse",
    "judge_applied",
    "keep",
    "look_for_applied",
    "render",
]
