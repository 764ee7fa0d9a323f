"""A staff page that finds all that one id left behind: requests, replies, what model and tools did for them,
event streams, tasks, noted queries, alerts that name it or were firing meanwhile, and its trace.

The id is a request's (X-Request-ID), a reply's correlation id, or a task's. Each part is shown to those who
may view its rows in the admin, and none of it holds what people wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AbstractUser
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from chatsite import request_ids
from conversations.models import Reply, ToolRun
from performance.metrics import examples
from performance.models import Alert, QuerySample, TaskRun

MOST = 200  # rows of a kind


@dataclass(frozen=True)
class Row:
    """One thing that happened; `seconds` is what it took."""

    kind: str
    at: datetime | None
    what: str
    how: str
    seconds: float | None
    url: str


@dataclass
class Found:
    rows: list[Row] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


@require_safe
def happened(request: HttpRequest) -> HttpResponse:
    """The page; `?id=` is what is looked for."""
    asked = request.GET.get("id", "").strip()
    context: dict[str, Any] = {"title": "What happened", "asked": asked}
    if asked and not request_ids.ID.fullmatch(asked):
        context["problem"] = "An id has up to 64 letters, digits, dots, colons and dashes."
    elif asked:
        correlation = correlation_of(asked)
        found = look(correlation, request.user)  # type: ignore[arg-type]
        context |= {"found": found, "correlation": correlation, "trace": trace_of(correlation)}
    shared = admin.site.each_context(request)
    status = 400 if "problem" in context else 200
    return render(request, "happened.html", {**shared, **context}, status=status)


def correlation_of(asked: str) -> str:
    """The id that all the rows share, where `asked` is that of one task among them."""
    run = TaskRun.objects.filter(task_id=asked).exclude(correlation_id="").first()
    return run.correlation_id if run else asked


def trace_of(correlation: str) -> str:
    """Where the trace of that request can be looked up; "" where the site does not know."""
    return settings.TRACE_URL.replace("{trace_id}", request_ids.trace_id_of(correlation))


def look(correlation: str, user: AbstractUser) -> Found:
    """All rows of that id that the user may view, oldest first."""
    found = Found()
    for kind, permission, rows in PARTS:
        if user.has_perm(permission):
            found.rows += rows(correlation)
        else:
            found.hidden.append(kind)
    if user.has_perm("performance.view_alert"):
        found.rows += _alerts(correlation, [row.at for row in found.rows if row.at])
    else:
        found.hidden.append("alerts")
    found.rows.sort(key=lambda row: (row.at is None, row.at))
    return found


def _requests(correlation: str) -> list[Row]:
    """Those that failed or took long: of others there is no more than their log lines."""
    return [
        Row(
            "request",
            datetime.fromtimestamp(example.at, UTC),
            " ".join(filter(None, map(example.labels.get, ("method", "view")))),
            example.labels["status"],
            example.value,
            "",
        )
        for example in examples.of(correlation)
        if example.metric == "request_seconds"
    ]


def _replies(correlation: str) -> list[Row]:
    replies = Reply.objects.filter(correlation_id=correlation)[:MOST]
    return [row for reply in replies for row in _of_reply(reply)]


def _of_reply(reply: Reply) -> Iterator[Row]:
    """The attempt, its calls of the model, and where its events begin in the conversation's stream."""
    url = reverse("admin:conversations_reply_change", args=[reply.pk])
    author = f"{reply.backend} {reply.model}".strip()
    how = f"{reply.get_status_display()} {reply.error}".strip()
    took = _between(reply.pending_since, reply.finished_at)
    yield Row("reply", reply.pending_since, f"Attempt {reply.attempt}", how, took, url)
    if reply.asked_at:
        tokens = f"{reply.input_tokens or 0} tokens in, {reply.output_tokens or 0} out"
        took = _between(reply.asked_at, reply.finished_at)
        yield Row("model", reply.asked_at, author, tokens, took, url)
    if reply.stream_start:
        began = datetime.fromtimestamp(int(reply.stream_start.partition("-")[0]) / 1000, UTC)
        yield Row("events", began, f"Events from {reply.stream_start}", "", None, url)


def _tools(correlation: str) -> list[Row]:
    runs = ToolRun.objects.filter(reply__correlation_id=correlation)[:MOST]
    return [
        Row(
            "tool",
            run.started_at,
            run.name,
            "failed" if run.error else "from the cache" if run.cached_at else "done",
            run.milliseconds / 1000,
            reverse("admin:conversations_toolrun_change", args=[run.pk]),
        )
        for run in runs
    ]


def _tasks(correlation: str) -> list[Row]:
    runs: QuerySet[TaskRun] = TaskRun.objects.filter(
        Q(correlation_id=correlation) | Q(task_id=correlation)
    )
    return [
        Row(
            "task",
            run.started_at,
            f"{run.task}, {run.level}, attempt {run.attempt}, waited {run.waited:.3f} s",
            f"{run.get_status_display()} {run.error}".strip(),
            run.ran,
            reverse("admin:performance_taskrun_change", args=[run.pk]),
        )
        for run in runs[:MOST]
    ]


def _samples(correlation: str) -> list[Row]:
    samples = QuerySample.objects.filter(correlation_id=correlation)[:MOST]
    return [
        Row(
            "query",
            sample.at,
            str(sample),
            sample.remedy,
            sample.seconds,
            reverse("admin:performance_querysample_change", args=[sample.pk]),
        )
        for sample in samples
    ]


def _alerts(correlation: str, times: list[datetime]) -> list[Row]:
    """Those that name it, and those that were firing while any of it happened."""
    wanted = Q(examples__contains=[correlation])
    if times:
        still = Q(resolved_at__isnull=True) | Q(resolved_at__gte=min(times))
        wanted |= still & Q(fired_at__lte=max(times))
    alerts = Alert.objects.filter(wanted).select_related("rule")[:MOST]
    return [
        Row(
            "alert",
            alert.fired_at,
            str(alert),
            f"{alert.get_state_display()}{', names it' if correlation in alert.examples else ''}",
            _between(alert.fired_at, alert.resolved_at),
            reverse("admin:performance_alert_change", args=[alert.pk]),
        )
        for alert in alerts
    ]


def _between(first: datetime | None, last: datetime | None) -> float | None:
    return (last - first).total_seconds() if first and last else None


PARTS: tuple[tuple[str, str, Callable[[str], list[Row]]], ...] = (
    ("requests", "performance.view_dashboard", _requests),
    ("replies", "conversations.view_reply", _replies),
    ("tools", "conversations.view_toolrun", _tools),
    ("tasks", "performance.view_taskrun", _tasks),
    ("queries", "performance.view_querysample", _samples),
)
