"""performance.tracing's spans as OpenTelemetry's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from chatsite.tracing.w3c import following
from performance.tracing import Attributes, Kind

KINDS = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
CORRELATED = ("correlation_id", "request_id", "task_id")


class OpenTelemetrySpan:
    """One span, with names in place of messages where it fails."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))


class OpenTelemetryTracer:
    """Opens spans in the running context, with the ids of the log lines written there."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(
        self, name: str, kind: Kind, attributes: Attributes, parent: str
    ) -> Iterator[OpenTelemetrySpan]:
        # An exception's message may hold what a person wrote, so only its type is kept.
        with self._tracer.start_as_current_span(
            name,
            context=following(parent) if parent else None,
            kind=KINDS[kind],
            attributes={**correlation(), **attributes},
            record_exception=False,
            set_status_on_exception=False,
        ) as otel:
            span = OpenTelemetrySpan(otel)
            try:
                yield span
            except (asyncio.CancelledError, GeneratorExit):
                span.set({"cancelled": True})
                raise
            except BaseException as error:
                span.fail(type(error).__name__)
                raise


def correlation() -> Attributes:
    """The ids that log lines carry at this moment."""
    bound = structlog.contextvars.get_contextvars()
    return {name: str(bound[name]) for name in CORRELATED if name in bound}
