"""Where spans go, and which: OpenTelemetry's own variables (OTEL_...) decide as everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from chatsite import request_ids
from chatsite.request_ids import trace_id_of
from chatsite.tracing import jobs, sql
from chatsite.tracing.tracer import OpenTelemetryTracer
from chatsite.tracing.wordless import Wordless
from performance import tracing


class RequestIds(RandomIdGenerator):
    """A trace that begins with a request has an id that is made of the request's."""

    def generate_trace_id(self) -> int:
        request_id = request_ids.current()
        return int(trace_id_of(request_id), 16) if request_id else super().generate_trace_id()


class FromTheBeginning(Sampler):
    """Leaves out what belongs to no request or job: a worker asks Redis for work all day long."""

    def __init__(self, ratio: float) -> None:
        self._roots = ParentBasedTraceIdRatio(ratio)

    def should_sample(  # noqa: PLR0913 - the interface
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        if not parent.is_valid and kind not in {SpanKind.SERVER, SpanKind.CONSUMER}:
            return SamplingResult(Decision.DROP)
        return self._roots.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        return type(self).__name__


def start(ratio: float) -> TracerProvider:
    """Begins to trace this process; `ratio` of the traces are kept, 0 to 1.

    The exporter's address, headers and limits are OpenTelemetry's own environment variables.
    """
    role = "worker" if "worker" in sys.argv[1:2] else "web"
    name = {"service.name": "chatsite", "service.role": role}
    provider = TracerProvider(
        sampler=FromTheBeginning(ratio),
        id_generator=RequestIds(),
        resource=Resource.create(name),  # OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win
    )
    provider.add_span_processor(BatchSpanProcessor(Wordless(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    RedisInstrumentor().instrument(tracer_provider=provider, request_hook=_without_script)
    sql.watch()
    jobs.watch()
    tracing.use(OpenTelemetryTracer(provider.get_tracer("chatsite")))
    return provider


def _without_script(
    span: Any, _instance: object, arguments: Sequence[Any], _options: object
) -> None:
    """A script's source is long and the same each time: its command is enough."""
    if arguments and str(arguments[0]).upper() in {"EVAL", "EVALSHA"}:
        span.set_attribute("db.statement", str(arguments[0]).upper())
