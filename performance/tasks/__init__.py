"""What this app does by itself from time to time."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.utils import timezone

from performance.metrics import MetricsUnavailable, rollup
from performance.models import TaskRun
from performance.queues import Level, Schedule, connection, outbox, task
from performance.queues.conf import of_default_backend
from performance.tasks.alerts import evaluate_alerts, prune_alerts, send_alerts

__all__ = [
    "evaluate_alerts",
    "prune_alerts",
    "prune_task_runs",
    "roll_up_metrics",
    "send_alerts",
    "sweep_task_outbox",
]

logger = structlog.get_logger(__name__)


@task(level=Level.HIGH, schedule=Schedule(every=10), record=False)
def sweep_task_outbox() -> int:
    """Enqueues durable tasks that did not reach Redis; answers how many."""
    return outbox.sweep(connection.client())


@task(level=Level.LOW, schedule=Schedule(cron="17 * * * *"), record=False)
def prune_task_runs() -> int:
    """Deletes task runs older than OPTIONS["KEEP_RUNS"] days; answers how many."""
    oldest = timezone.now() - timedelta(days=of_default_backend().keep_runs)
    deleted, _ = TaskRun.objects.filter(finished_at__lt=oldest).delete()
    return int(deleted)


@task(level=Level.HIGH, schedule=Schedule(every=30), record=False)
def roll_up_metrics() -> int:
    """Turns the live metrics into rows; answers how many rows are new or have grown."""
    try:
        result = rollup.roll_up()
    except MetricsUnavailable as error:
        logger.warning("metrics_not_rolled_up", error=str(error))
        return 0
    return result.minute_rows + result.hour_rows
