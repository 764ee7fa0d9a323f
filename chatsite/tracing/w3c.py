"""The place in a trace as one line of text: a W3C traceparent. https://www.w3.org/TR/trace-context/"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()


def traceparent() -> str:
    """The running span, "" where there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent", "")


def following(parent: str) -> Context:
    """A context whose spans are children of `parent`; of none where that is no traceparent."""
    return _propagator.extract({"traceparent": parent})
