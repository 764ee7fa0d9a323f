"""Health and /metrics; the rest of this app is in the admin."""

from __future__ import annotations

from django.urls import path

from performance.views import health, metrics

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/detail", health.detail, name="health-detail"),
    # The name that django-prometheus gives it.
    path("metrics", metrics.export, name="prometheus-django-metrics"),
]
