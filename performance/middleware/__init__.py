"""The middleware classes of this app, for MIDDLEWARE."""

from __future__ import annotations

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

if not apps.is_installed("performance"):
    raise ImproperlyConfigured(
        'MIDDLEWARE names a middleware of performance: put "performance" into INSTALLED_APPS, too.'
    )

from performance.middleware.performance import PerformanceMiddleware
from performance.middleware.query_log import QueryLogMiddleware

__all__ = ["PerformanceMiddleware", "QueryLogMiddleware"]
