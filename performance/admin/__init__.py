from __future__ import annotations

from performance.admin.alert_messages import NotificationAdmin, SilenceAdmin
from performance.admin.alert_rules import AlertRuleAdmin
from performance.admin.alerts import AlertAdmin
from performance.admin.dashboard import DashboardAdmin
from performance.admin.queries import QueryFingerprintAdmin, QuerySampleAdmin
from performance.admin.queues import TaskRunAdmin
from performance.admin.switches import SwitchChangeAdmin

__all__ = [
    "AlertAdmin",
    "AlertRuleAdmin",
    "DashboardAdmin",
    "NotificationAdmin",
    "QueryFingerprintAdmin",
    "QuerySampleAdmin",
    "SilenceAdmin",
    "SwitchChangeAdmin",
    "TaskRunAdmin",
]
