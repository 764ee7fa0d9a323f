"""A span for each run of a job, whose parent is the request (or job) that enqueued it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import structlog
from django.tasks.base import TaskResult, TaskResultStatus
from django.tasks.signals import task_finished, task_started
from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chatsite.tracing.tracer import correlation

MOST_OPEN = 10_000

_w3c = TraceContextTextMapPropagator()
_open: OrderedDict[str, Span] = OrderedDict()


def watch() -> None:
    """Begins with the next job."""
    task_started.connect(_begin, dispatch_uid="chatsite.tracing.jobs")
    task_finished.connect(_end, dispatch_uid="chatsite.tracing.jobs")


def _begin(*, task_result: TaskResult[Any, Any], **_kwargs: object) -> None:
    """In the run's own context, so what the task opens becomes a child; the context ends with it."""
    task = task_result.task
    carried = structlog.contextvars.get_contextvars().get("traceparent", "")
    span = trace.get_tracer("chatsite").start_span(
        task.module_path,
        context=_w3c.extract({"traceparent": str(carried)}),
        kind=SpanKind.CONSUMER,
        attributes={
            **correlation(),
            "messaging.system": "rq",
            "messaging.operation.type": "process",
            "messaging.destination.name": task.queue_name,
            "messaging.message.id": task_result.id,
        },
    )
    if span.is_recording():
        _keep(task_result.id, span)
    context.attach(trace.set_span_in_context(span))


def _keep(task_id: str, span: Span) -> None:
    """A run that is handed back or tried again is never told to have finished: the next one ends it."""
    if task_id in _open:
        _open.pop(task_id).end()
    _open[task_id] = span
    while len(_open) > MOST_OPEN:
        _open.popitem(last=False)[1].end()


def _end(*, task_result: TaskResult[Any, Any], **_kwargs: object) -> None:
    span = _open.pop(task_result.id, None)
    if span is None:
        return
    span.set_attribute("messaging.rq.status", str(task_result.status))
    if task_result.status == TaskResultStatus.FAILED:
        if task_result.errors:
            path = task_result.errors[-1].exception_class_path
            span.set_attribute("error.type", path.rpartition(".")[2])
        span.set_status(Status(StatusCode.ERROR))
    span.end()
