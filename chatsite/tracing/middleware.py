"""The span of a request, and its name in the log context, by which its jobs find their parent.

It stands right below whatever gives the request its id, of which the trace's is made.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
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
                # Log lines name the trace, and jobs carry what the log context holds.
                structlog.contextvars.bind_contextvars(traceparent=traceparent())
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
        }
    )
    if status >= 500:
        span.fail(str(status))
