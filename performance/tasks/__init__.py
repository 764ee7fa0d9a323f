"""What this app does by itself from time to time."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from performance.models import TaskRun
from performance.queues import Level, Schedule, connection, outbox, task
from performance.queues.conf import of_default_backend
from performance.tasks.alerts import evaluate_alerts, prune_alerts, send_alerts
from performance.tasks.index_advice import analyze_database, follow_index_suggestions
from performance.tasks.metrics import prune_metrics, roll_up_metrics, sample_services
from performance.tasks.queries import prune_query_log, write_query_log

__all__ = [
    "analyze_database",
    "evaluate_alerts",
    "follow_index_suggestions",
    "prune_alerts",
    "prune_metrics",
    "prune_query_log",
    "prune_task_runs",
    "roll_up_metrics",
    "sample_services",
    "send_alerts",
    "sweep_task_outbox",
    "write_query_log",
]


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
