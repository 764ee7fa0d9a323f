"""What the query log does from time to time."""

from __future__ import annotations

import structlog

from performance.queries import pruning, writing
from performance.queues import Level, Schedule, task

logger = structlog.get_logger(__name__)


@task(level=Level.NORMAL, schedule=Schedule(every=15), record=False)
def write_query_log() -> int:
    """Writes what all processes sent; answers how many batches."""
    try:
        return writing.write().batches
    except writing.QueryLogUnavailable as error:
        logger.warning("query_log_not_written", error=str(error))
        return 0


@task(level=Level.LOW, schedule=Schedule(cron="37 * * * *"), record=False)
def prune_query_log() -> int:
    """Deletes old rows of the query log; answers how many."""
    return pruning.prune()
