from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chatsite.tracing.wordless import Wordless

CANARY = "canary-6120"


def test_a_librarys_span_of_a_failure_says_the_class_alone() -> None:
    ended, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Wordless(ended)))
    tracer = provider.get_tracer("a library")

    def fail() -> None:
        with tracer.start_as_current_span("HSET") as span:
            span.set_attribute("kept", "this")
            span.add_event("retried", {"times": 2})
            raise ValueError(CANARY)

    with pytest.raises(ValueError, match=CANARY):
        fail()
    (told,) = ended.get_finished_spans()
    assert CANARY not in told.to_json()
    assert [event.name for event in told.events] == ["retried", "exception"]
    assert dict(told.events[1].attributes or {}) == {"exception.type": "ValueError"}
    assert not told.status.is_ok
    assert (told.attributes or {})["kept"] == "this"
