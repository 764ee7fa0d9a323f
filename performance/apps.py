from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.core.signals import request_started
from django.db.models.signals import post_migrate

from performance import conf, logs


class PerformanceConfig(AppConfig):
    name = "performance"
    label = "performance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        logs.configure()
        import_module("performance.checks")
        _watch_switches()
        import_module("performance.queries.watching").connect()
        import_module("performance.metrics.recorders").connect()
        import_module("performance.tasks.alerts").watch()
        post_migrate.connect(_add_alert_rules, sender=self, dispatch_uid="performance.alerts")


def _add_alert_rules(**kwargs: Any) -> None:
    import_module("performance.alerts.shipped").install(**kwargs)


def _watch_switches() -> None:
    """In processes that serve: a command that looks at something needs no thread for it."""
    if not conf.current().switches.watch_seconds:
        return
    watch = import_module("performance.switches").watch
    worker_started = import_module("performance.queues.signals").worker_started
    for signal in (request_started, worker_started):
        signal.connect(watch, dispatch_uid="performance.switches")
