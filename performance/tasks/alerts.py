"""Evaluating alert rules, and telling people, from time to time."""

from __future__ import annotations

from performance import alerts
from performance.alerts import pruning, watchdog
from performance.queues import Level, Schedule, task


def watch() -> None:
    """Has every process look whether the rules are still evaluated."""
    watchdog.watch(_evaluate_and_send)


def _evaluate_and_send() -> None:
    alerts.evaluate()
    alerts.deliver()


@task(level=Level.CRITICAL, schedule=Schedule(every=5), record=False, timeout=60)
def evaluate_alerts() -> int:
    """Evaluates every rule once; answers how many steps its alerts took."""
    report = alerts.evaluate()
    return len(report.events) if report else 0


@task(level=Level.CRITICAL, schedule=Schedule(every=5), record=False, timeout=120)
def send_alerts() -> int:
    """Sends the messages that are due; answers how many arrived."""
    return alerts.deliver()


@task(level=Level.LOW, schedule=Schedule(cron="43 3 * * *"), record=False)
def prune_alerts() -> int:
    """Deletes resolved alerts older than ALERTS["KEEP_DAYS"]; answers how many."""
    return pruning.prune()
