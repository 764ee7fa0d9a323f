"""The span of a request, and its name in the log context, by which its jobs find their parent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django_structlog.signals import bind_extra_request_metadata
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_w3c = TraceContextTextMapPropagator()


class TracingMiddleware:
    """A SERVER span for each page: method, route and status, no query string and no address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._tracer = trace.get_tracer("chatsite")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        carrier = {"traceparent": request.headers.get("traceparent", "")}
        token = context.attach(_w3c.extract(carrier))
        method = request.method or "?"
        try:
            with self._tracer.start_as_current_span(
                method, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
            ) as span:
                response = self._get_response(request)
                self._describe(span, request, method, response.status_code)
                return response
        finally:
            context.detach(token)

    def _describe(self, span: trace.Span, request: HttpRequest, method: str, status: int) -> None:
        match = request.resolver_match
        route = f"/{match.route}" if match else "(unknown)"
        span.update_name(f"{method} {route}")
        span.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "request_id": str(getattr(request, "id", "")),
            }
        )
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))


def traceparent() -> str:
    """The running span as a W3C traceparent, "" where there is none. https://www.w3.org/TR/trace-context/"""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get("traceparent", "")


@receiver(bind_extra_request_metadata)
def bind_traceparent(**_kwargs: Any) -> None:
    """Log lines name the trace, and jobs carry what the log context holds."""
    if parent := traceparent():
        structlog.contextvars.bind_contextvars(traceparent=parent)
