"""A span for each run of a job, whose parent is the request (or job) that enqueued it."""

from __future__ import annotations

from collections import OrderedDict
from contextvars import Token
from typing import Any

import structlog
from django.tasks.base import TaskResult, TaskResultStatus
from django.tasks.signals import task_finished, task_started
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from chatsite.tracing.tracer import correlation
from chatsite.tracing.w3c import following
from performance.signals import on_loop

MOST_OPEN = 10_000

_open: OrderedDict[str, tuple[Span, Token[Context]]] = OrderedDict()


def watch() -> None:
    """Begins with the next job."""
    task_started.connect(_begin, dispatch_uid="chatsite.tracing.jobs")
    task_finished.connect(_end, dispatch_uid="chatsite.tracing.jobs")


@on_loop
def _begin(*, task_result: TaskResult[Any, Any], **_kwargs: object) -> None:
    """In the run's own context, so what the task opens becomes a child; the context ends with it."""
    task = task_result.task
    carried = structlog.contextvars.get_contextvars().get("traceparent", "")
    span = trace.get_tracer("chatsite").start_span(
        task.module_path,
        context=following(str(carried)),
        kind=SpanKind.CONSUMER,
        attributes={
            **correlation(),
            "messaging.system": "rq",
            "messaging.operation.type": "process",
            "messaging.destination.name": task.queue_name,
            "messaging.message.id": task_result.id,
        },
    )
    _keep(task_result.id, span, context.attach(trace.set_span_in_context(span)))


def _keep(task_id: str, span: Span, token: Token[Context]) -> None:
    """A run that is handed back or tried again is never told to have finished: the next one ends it."""
    if task_id in _open:
        _open.pop(task_id)[0].end()
    _open[task_id] = span, token
    while len(_open) > MOST_OPEN:
        _open.popitem(last=False)[1][0].end()


@on_loop
def _end(*, task_result: TaskResult[Any, Any], **_kwargs: object) -> None:
    span, token = _open.pop(task_result.id, (None, None))
    if span is None or token is None:
        return
    if trace.get_current_span() is span:  # it ran at once, and whoever enqueued it goes on
        context.detach(token)
    span.set_attribute("messaging.rq.status", str(task_result.status))
    if task_result.status == TaskResultStatus.FAILED:
        if task_result.errors:
            path = task_result.errors[-1].exception_class_path
            span.set_attribute("error.type", path.rpartition(".")[2])
        span.set_status(Status(StatusCode.ERROR))
    span.end()
