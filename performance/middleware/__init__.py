"""The middleware classes of this app, for MIDDLEWARE."""

from __future__ import annotations

from performance.middleware.performance import PerformanceMiddleware
from performance.middleware.query_log import QueryLogMiddleware

__all__ = ["PerformanceMiddleware", "QueryLogMiddleware"]
