"""The span of a request, and its name in the log context, by which its jobs find their parent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django_structlog.signals import bind_extra_request_metadata
from opentelemetry import context

from chatsite.tracing.w3c import following, traceparent
from performance import tracing


class TracingMiddleware:
    """A SERVER span for each page: method, route and status, no query string and no address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = context.attach(following(_claimed(request)))
        method = request.method or "?"
        try:
            with tracing.span(method, kind="server") as span:
                response = self._get_response(request)
                _describe(span, request, method, response.status_code)
                return response
        finally:
            context.detach(token)


def _claimed(request: HttpRequest) -> str:
    """The trace that a proxy has begun. A browser could have everything traced, and into any trace."""
    return request.headers.get("traceparent", "") if settings.BEHIND_PROXY else ""


def _describe(span: tracing.Span, request: HttpRequest, method: str, status: int) -> None:
    match = request.resolver_match
    route = f"/{match.route}" if match else "(unknown)"
    span.rename(f"{method} {route}")
    span.set(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "request_id": str(getattr(request, "id", "")),
        }
    )
    if status >= 500:
        span.fail(str(status))


@receiver(bind_extra_request_metadata)
def bind_traceparent(**_kwargs: Any) -> None:
    """Log lines name the trace, and jobs carry what the log context holds."""
    if parent := traceparent():
        structlog.contextvars.bind_contextvars(traceparent=parent)
