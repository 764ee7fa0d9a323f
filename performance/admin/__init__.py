from __future__ import annotations

from performance.admin.alert_events import AlertEventAdmin
from performance.admin.alert_messages import NotificationAdmin, SilenceAdmin
from performance.admin.alert_rules import AlertRuleAdmin
from performance.admin.alerts import AlertAdmin
from performance.admin.dashboard import DashboardAdmin
from performance.admin.index_suggestions import DatabaseFindingAdmin, IndexSuggestionAdmin
from performance.admin.metrics import MetricBucketAdmin, MetricSeriesAdmin
from performance.admin.queries import QueryFingerprintAdmin, QuerySampleAdmin
from performance.admin.queues import TaskRunAdmin
from performance.admin.switches import SwitchChangeAdmin

__all__ = [
    "AlertAdmin",
    "AlertEventAdmin",
    "AlertRuleAdmin",
    "DashboardAdmin",
    "DatabaseFindingAdmin",
    "IndexSuggestionAdmin",
    "MetricBucketAdmin",
    "MetricSeriesAdmin",
    "NotificationAdmin",
    "QueryFingerprintAdmin",
    "QuerySampleAdmin",
    "SilenceAdmin",
    "SwitchChangeAdmin",
    "TaskRunAdmin",
]
