"""The board's place among the models."""

from __future__ import annotations

from performance.models.metrics import MetricSeries


class Dashboard(MetricSeries):
    """No rows of its own: it gives the board its address, its permission and its entry in the admin."""

    class Meta:
        proxy = True
        verbose_name = "dashboard"
        verbose_name_plural = "dashboard"
        default_permissions = ("view",)
