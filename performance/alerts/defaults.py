"""The rules that come with the app. `manage.py migrate` adds those that are missing.

A rule that is there is never touched, so what staff changed stays; one that is not wanted is switched
off, since a deleted one would come back. Each has a runbook under its name in docs/operations/runbooks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """A shipped rule: `values` are fields of AlertRule, `after` the rules that hold it back."""

    name: str
    title: str
    values: dict[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()


DATABASE, QUEUE, CACHE = "database-unreachable", "queue-unreachable", "cache-unreachable"


def _service(name: str, title: str, service: str, severity: str) -> Default:
    values = {
        "metric": "service_up",
        "aggregation": "last",
        "labels": {"service": service},
        "window": MINUTE,
        "comparison": "lt",
        "threshold": 1,
        "hold": 10,
        "keep_firing": 30,
        "severity": severity,
        "group": "services",
    }
    return Default(name=name, title=title, values=values)


DEFAULTS = (
    _service(DATABASE, "PostgreSQL does not answer", "database", "critical"),
    _service(QUEUE, "The queue server does not answer", "queue", "critical"),
    _service(CACHE, "The cache server does not answer", "cache", "warning"),
    Default(
        name="worker-gone",
        title="No worker runs",
        values={
            "metric": "workers",
            "aggregation": "last",
            "window": MINUTE,
            "comparison": "lt",
            "threshold": 1,
            "hold": 20,
            "keep_firing": 20,
            "no_data": "alert",
            "severity": "critical",
            "group": "queues",
        },
        after=(QUEUE,),
    ),
    Default(
        name="error-rate",
        title="Many requests end in an error",
        values={
            "metric": "request_seconds",
            "aggregation": "count",
            "labels": {"status": "5xx"},
            "divisor": "request_seconds",
            "divisor_aggregation": "count",
            "window": 5 * MINUTE,
            "threshold": 0.05,
            "resolve_threshold": 0.02,
            "hold": 30,
            "keep_firing": 2 * MINUTE,
            "min_samples": 20,
            "severity": "critical",
            "group": "requests",
        },
        after=(DATABASE,),
    ),
    Default(
        name="slow-responses",
        title="Pages are slow",
        values={
            "metric": "request_seconds",
            "aggregation": "p95",
            "window": 5 * MINUTE,
            "threshold": 2,
            "resolve_threshold": 1.5,
            "hold": 2 * MINUTE,
            "keep_firing": 2 * MINUTE,
            "min_samples": 20,
            "group": "requests",
        },
        after=(DATABASE, CACHE),
    ),
    Default(
        name="slow-queries",
        title="Many slow database queries",
        values={
            "metric": "slow_queries",
            "aggregation": "rate",
            "group_by": ["alias"],
            "window": 5 * MINUTE,
            "threshold": 0.2,
            "resolve_threshold": 0.1,
            "hold": MINUTE,
            "keep_firing": 2 * MINUTE,
            "group": "database",
        },
        after=(DATABASE,),
    ),
    Default(
        name="n-plus-one",
        title="A page asks the database once for each row",
        values={
            "metric": "n_plus_one",
            "aggregation": "count",
            "group_by": ["view"],
            "window": 15 * MINUTE,
            "threshold": 10,
            "resolve_threshold": 0,
            "keep_firing": 0,
            "severity": "info",
            "group": "database",
        },
    ),
    Default(
        name="query-budget",
        title="A page asks the database more than its budget allows",
        values={
            "metric": "query_budget_exceeded",
            "aggregation": "count",
            "group_by": ["view"],
            "window": 15 * MINUTE,
            "threshold": 5,
            "resolve_threshold": 0,
            "keep_firing": 0,
            "group": "database",
        },
    ),
    Default(
        name="cache-hit-rate",
        title="The cache seldom has what is asked for",
        values={
            "metric": "cache_hits",
            "aggregation": "count",
            "group_by": ["alias"],
            "divisor": "cache_hits+cache_misses",
            "divisor_aggregation": "count",
            "window": 15 * MINUTE,
            "comparison": "lt",
            "threshold": 0.3,
            "resolve_threshold": 0.4,
            "hold": 5 * MINUTE,
            "keep_firing": 5 * MINUTE,
            "min_samples": 500,
            "severity": "info",
            "group": "cache",
            "no_data": "ok",
        },
        after=(CACHE,),
    ),
    Default(
        name="queue-wait",
        title="Tasks wait long",
        values={
            "metric": "queue_oldest_seconds",
            "aggregation": "last",
            "group_by": ["level"],
            "window": MINUTE,
            "threshold": 60,
            "resolve_threshold": 20,
            "hold": 30,
            "keep_firing": 30,
            "group": "queues",
            "no_data": "ok",
        },
        after=("worker-gone", QUEUE),
    ),
    Default(
        name="tasks-failing",
        title="A task fails often",
        values={
            "metric": "task_seconds",
            "aggregation": "count",
            "labels": {"status": "failed"},
            "divisor": "task_seconds",
            "divisor_aggregation": "count",
            "group_by": ["task"],
            "window": 15 * MINUTE,
            "threshold": 0.2,
            "resolve_threshold": 0.1,
            "hold": MINUTE,
            "keep_firing": 5 * MINUTE,
            "min_samples": 10,
            "group": "queues",
            "no_data": "ok",
        },
        after=(DATABASE, QUEUE),
    ),
    Default(
        name="tasks-parked",
        title="A task took its workers down and was parked",
        values={
            "metric": "tasks_parked",
            "aggregation": "count",
            "group_by": ["level"],
            "window": HOUR,
            "threshold": 0,
            "keep_firing": 0,
            "group": "queues",
        },
    ),
    Default(
        name="replication-lag",
        title="A replica of the database is behind",
        values={
            "metric": "replication_lag_seconds",
            "aggregation": "last",
            "group_by": ["database"],
            "window": MINUTE,
            "threshold": 30,
            "resolve_threshold": 10,
            "hold": MINUTE,
            "keep_firing": MINUTE,
            "group": "database",
            "no_data": "ok",
        },
        after=(DATABASE,),
    ),
    Default(
        name="pool-exhausted",
        title="Requests wait for a database connection",
        values={
            "metric": "pool_connections",
            "aggregation": "last",
            "group_by": ["alias"],
            "labels": {"state": "waiting"},
            "window": MINUTE,
            "threshold": 0,
            "hold": 20,
            "keep_firing": MINUTE,
            "group": "database",
            "no_data": "ok",
        },
        after=(DATABASE,),
    ),
    Default(
        name="chat-failing",
        title="The assistant's backend fails",
        values={
            "metric": "reply_seconds",
            "aggregation": "count",
            "labels": {"status": "failed"},
            "divisor": "reply_seconds",
            "divisor_aggregation": "count",
            "group_by": ["backend"],
            "window": 5 * MINUTE,
            "threshold": 0.2,
            "resolve_threshold": 0.1,
            "hold": 0,
            "keep_firing": 2 * MINUTE,
            "min_samples": 5,
            "severity": "critical",
            "group": "chat",
        },
        after=(DATABASE, QUEUE),
    ),
    Default(
        name="disk-full",
        title="A disk is nearly full",
        values={
            "metric": "disk_free_ratio",
            "aggregation": "last",
            "group_by": ["path"],
            "window": MINUTE,
            "comparison": "lt",
            "threshold": 0.1,
            "resolve_threshold": 0.15,
            "hold": MINUTE,
            "keep_firing": MINUTE,
            "severity": "critical",
            "group": "services",
            "no_data": "ok",
        },
    ),
    Default(
        name="label-overflow",
        title="A metric has too many label values",
        values={
            "metric": "metrics_overflow",
            "aggregation": "count",
            "group_by": ["metric"],
            "window": 10 * MINUTE,
            "threshold": 0,
            "keep_firing": 0,
            "severity": "info",
            "group": "monitoring",
        },
    ),
    Default(
        name="metrics-missing",
        title="No metrics arrive",
        values={
            "metric": "evaluation_seconds",
            "aggregation": "count",
            "window": 2 * MINUTE,
            "comparison": "lt",
            "threshold": 1,
            "hold": MINUTE,
            "keep_firing": 20,
            "no_data": "alert",
            "group": "monitoring",
        },
        after=(QUEUE,),
    ),
    Default(
        name="alerts-not-told",
        title="Messages about alerts do not arrive",
        values={
            "metric": "alert_notifications",
            "aggregation": "count",
            "group_by": ["channel"],
            "labels": {"status": "failed"},
            "window": HOUR,
            "threshold": 0,
            "keep_firing": 0,
            "group": "monitoring",
        },
    ),
)
