from __future__ import annotations

from performance.models.alert_notifications import AlertEvaluation, Notification
from performance.models.alert_rules import AlertRule
from performance.models.alert_silences import Silence
from performance.models.alerts import Alert, AlertEvent
from performance.models.dashboard import Dashboard
from performance.models.index_suggestions import DatabaseFinding, IndexSuggestion
from performance.models.metrics import MetricBucket, MetricSeries
from performance.models.queries import (
    CallSite,
    QueryFingerprint,
    QueryLogProcess,
    QuerySample,
    QueryStatistics,
    Scope,
)
from performance.models.query_plans import QueryPlan
from performance.models.switches import SwitchChange
from performance.models.task_outbox import TaskOutbox
from performance.models.task_runs import TaskRun

__all__ = [
    "Alert",
    "AlertEvaluation",
    "AlertEvent",
    "AlertRule",
    "CallSite",
    "Dashboard",
    "DatabaseFinding",
    "IndexSuggestion",
    "MetricBucket",
    "MetricSeries",
    "Notification",
    "QueryFingerprint",
    "QueryLogProcess",
    "QueryPlan",
    "QuerySample",
    "QueryStatistics",
    "Scope",
    "Silence",
    "SwitchChange",
    "TaskOutbox",
    "TaskRun",
]
