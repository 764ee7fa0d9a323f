"""Rows of the metrics, and what nobody but a worker samples."""

from __future__ import annotations

import structlog

from performance.health import sampling
from performance.metrics import MetricsUnavailable, pruning, rollup
from performance.queues import Level, Schedule, task

logger = structlog.get_logger(__name__)


@task(level=Level.HIGH, schedule=Schedule(every=30), record=False)
def roll_up_metrics() -> int:
    """Turns the live metrics into rows; answers how many rows are new or have grown."""
    try:
        result = rollup.roll_up()
    except MetricsUnavailable as error:
        logger.warning("metrics_not_rolled_up", error=str(error))
        return 0
    return result.minute_rows + result.hour_rows


@task(level=Level.LOW, schedule=Schedule(cron="*/10 * * * *"), record=False)
def prune_metrics() -> int:
    """Deletes metrics older than METRICS["KEEP_MINUTES"] and ["KEEP_HOURS"]; answers how many rows."""
    pruned = pruning.prune()
    return pruned.minutes + pruned.hours + pruned.series


@task(level=Level.CRITICAL, schedule=Schedule(every=10), record=False, timeout=30)
def sample_services() -> int:
    """Records the health of every service, and the levels of the queues; answers how many are down."""
    return sampling.sample()
