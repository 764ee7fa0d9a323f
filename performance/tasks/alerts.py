"""Evaluating alert rules, and telling people, from time to time."""

from __future__ import annotations

from threading import Thread
from typing import Any

from performance import alerts, conf, health
from performance.alerts import pruning, watchdog
from performance.health import sampling
from performance.queues import Level, Schedule, task
from performance.queues.signals import worker_started


def watch() -> None:
    """Has every process look whether the rules are still evaluated, and workers be ready to tell of them."""
    watchdog.watch(evaluate_and_send, database_error)
    worker_started.connect(be_ready, dispatch_uid="performance.alerts.ready")


def be_ready(**_kwargs: Any) -> None:
    """Off the worker's loop: it takes a third of a second."""
    if conf.current().alerts.enabled:
        Thread(target=alerts.prepare, name="prepare-alerts", daemon=True).start()


def evaluate_and_send() -> None:
    """All of it, without the queues."""
    _evaluate()
    alerts.deliver()


def _evaluate() -> alerts.Report | None:
    if not conf.current().alerts.enabled:
        return None
    return alerts.evaluate(samples=samples())


def samples() -> list[alerts.Sample]:
    """Levels as they are now: a dead server must not be looked up in that server."""
    return [alerts.Sample(*level) for level in sampling.levels()]


def database_error() -> str:
    """What is wrong with PostgreSQL; "" for nothing."""
    down = (one for one in health.look() if one.service == "database" and not one.is_up)
    return next((one.error for one in down), "")


@task(level=Level.CRITICAL, schedule=Schedule(every=5), record=False, timeout=60)
def evaluate_alerts() -> int:
    """Evaluates every rule once; answers how many steps its alerts took."""
    report = _evaluate()
    return len(report.events) if report else 0


@task(level=Level.CRITICAL, schedule=Schedule(every=5), record=False, timeout=120)
def send_alerts() -> int:
    """Sends the messages that are due; answers how many arrived."""
    return alerts.deliver()


@task(level=Level.LOW, schedule=Schedule(cron="43 3 * * *"), record=False)
def prune_alerts() -> int:
    """Deletes resolved alerts older than ALERTS["KEEP_DAYS"]; answers how many."""
    return pruning.prune()
