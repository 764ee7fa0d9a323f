"""What an alert that fires can be followed by: ids of the requests, replies and tasks behind its value."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from performance.metrics import examples
from performance.models import Alert, AlertRule, TaskRun
from performance.models.alert_rules import Aggregation

MOST = 5
TASKS = "task_seconds"  # its runs are rows, each with its id
LOOKUPS = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}  # comparisons, as Django calls them
OF_VALUES = {
    *(Aggregation.MEAN, Aggregation.MIN, Aggregation.MAX),
    *(Aggregation.P50, Aggregation.P95, Aggregation.P99),
}


def of(alert: Alert, now: datetime) -> list[str]:
    """The newest ids of what went into the value over the rule's window, MOST at most."""
    rule = alert.rule
    since = now - timedelta(seconds=rule.window + rule.hold)
    labels = _wanted(alert)
    found = _tasks(rule, labels, since) if rule.metric == TASKS else _others(rule, labels, since)
    return list(dict.fromkeys(islice(found, MOST)))


def _wanted(alert: Alert) -> dict[str, list[str]]:
    both = {**alert.rule.labels, **alert.labels}
    return {
        name: value if isinstance(value, list) else [str(value)] for name, value in both.items()
    }


def _others(rule: AlertRule, labels: dict[str, list[str]], since: datetime) -> Iterable[str]:
    for example in examples.newest(rule.metric, labels, since.timestamp()):
        if _is_beyond(rule, example.value):
            yield example.id


def _is_beyond(rule: AlertRule, value: float) -> bool:
    """Of a rule that counts, whatever it counted."""
    if rule.aggregation not in OF_VALUES or rule.divisor:
        return True
    return bool(getattr(operator, rule.comparison)(value, rule.threshold))


def _tasks(rule: AlertRule, labels: dict[str, list[str]], since: datetime) -> Iterable[str]:
    runs = TaskRun.objects.filter(finished_at__gte=since)
    for name in ("task", "level", "status"):
        if name in labels:
            runs = runs.filter(**{f"{name}__in": labels[name]})
    if rule.aggregation in OF_VALUES and not rule.divisor:
        runs = runs.filter(**{f"ran__{LOOKUPS[rule.comparison]}": rule.threshold})
    rows = runs.order_by("-finished_at").values_list("correlation_id", "task_id")[:MOST]
    return (correlation or task for correlation, task in rows)
