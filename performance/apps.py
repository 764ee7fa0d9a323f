from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.core.signals import request_started


class PerformanceConfig(AppConfig):
    name = "performance"
    label = "performance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("performance.checks")
        _watch_switches()
        import_module("performance.queries.watching").connect()
        import_module("performance.metrics.recorders").connect()
        import_module("performance.tasks.alerts").watch()


def _watch_switches() -> None:
    """In processes that serve: a command that looks at something needs no thread for it."""
    watch = import_module("performance.switches").watch
    worker_started = import_module("performance.queues.signals").worker_started
    for signal in (request_started, worker_started):
        signal.connect(watch, dispatch_uid="performance.switches")
