from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class PerformanceConfig(AppConfig):
    name = "performance"
    label = "performance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("performance.checks")
        import_module("performance.queries.watching").connect()
        import_module("performance.metrics.recorders").connect()
        import_module("performance.tasks.alerts").watch()
