"""Requests and jobs as spans, in this process; tests/chatsite/tracing/test_tracing.py has the whole road."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chatsite.tracing import jobs
from chatsite.tracing.middleware import TracingMiddleware
from chatsite.tracing.tracer import OpenTelemetryTracer
from performance import tracing
from tests.performance.queues.jobs import tasks

CLAIMED = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Where spans go that have ended."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    tracing.use(OpenTelemetryTracer(provider.get_tracer("test")))
    yield exporter
    tracing.use(None)


def answer(status: int = 200, **headers: str) -> None:
    request = RequestFactory().get("/help/?q=secret", headers=headers)

    def get_response(_request: HttpRequest) -> HttpResponse:
        with tracing.span("inner"):
            return HttpResponse(status=status)

    TracingMiddleware(get_response)(request)


def test_a_request_that_failed_is_a_failed_span(ended: InMemorySpanExporter) -> None:
    answer(500)
    inner, request = ended.get_finished_spans()
    assert request.name == "GET (unknown)"
    assert (request.attributes or {})["error.type"] == "500"
    assert not request.status.is_ok
    assert inner.parent is not None
    assert request.context is not None
    assert inner.parent.span_id == request.context.span_id
    assert "secret" not in request.to_json()


@pytest.mark.parametrize("behind_proxy", [True, False])
def test_only_a_proxy_may_say_what_trace_it_is(
    ended: InMemorySpanExporter, settings: Any, behind_proxy: bool
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    answer(traceparent=CLAIMED)
    (*_, request) = ended.get_finished_spans()
    assert request.context is not None
    assert (f"{request.context.trace_id:032x}" == "a" * 32) is behind_proxy


def test_a_task_that_ran_at_once_leaves_the_request_its_own_span(
    ended: InMemorySpanExporter, settings: Any, transactional_db: None
) -> None:
    settings.PERFORMANCE = {"QUEUES": {"ENABLED": False}}
    jobs.watch()
    try:
        with tracing.span("request", kind="server"):
            tasks.add.enqueue(1, 2)
            with tracing.span("after"):
                pass
    finally:
        jobs.task_started.disconnect(dispatch_uid="chatsite.tracing.jobs")
        jobs.task_finished.disconnect(dispatch_uid="chatsite.tracing.jobs")
    spans = {span.name: span for span in ended.get_finished_spans()}
    assert set(spans) == {tasks.add.module_path, "after", "request"}
    parent, request = spans["after"].parent, spans["request"].context
    assert parent is not None
    assert request is not None
    assert parent.span_id == request.span_id
