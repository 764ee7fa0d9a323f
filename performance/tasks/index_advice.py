"""The analysis of queries, by night, for the admin's pages.

It is imported where it runs: a web process only needs to know that there are such tasks.
"""

from __future__ import annotations

import structlog

from performance import conf
from performance.queues import Level, Schedule, task

logger = structlog.get_logger(__name__)


@task(level=Level.LOW, schedule=Schedule(cron="41 3 * * *"))
def analyze_database(alias: str = "default") -> int:
    """Keeps what is found and suggested; answers how many findings there are."""
    from performance.queries import analysis

    if not conf.current().queries.enabled:
        return 0
    try:
        report = analysis.analyse(alias, analysis.Options())
    except analysis.AnalysisError as error:
        logger.warning("queries_not_analysed", error=str(error))
        return 0
    analysis.keep(report, alias)
    return len(report.findings)


@task(level=Level.LOW, schedule=Schedule(cron="29 * * * *"), record=False)
def follow_index_suggestions(alias: str = "default") -> int:
    """Sees which suggested indexes are there by now, and whether they helped."""
    from performance.queries import analysis

    try:
        return analysis.look_for_applied(alias) + analysis.judge_applied(alias)
    except analysis.AnalysisError as error:
        logger.warning("index_suggestions_not_followed", error=str(error))
        return 0
