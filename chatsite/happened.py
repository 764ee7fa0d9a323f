"""A staff page that finds all that one id left behind: replies, tools, tasks, queries, alerts of the time.

The id is a request's (X-Request-ID), a reply's correlation id, or a task's. Each part is shown to those who
may view its rows in the admin, and none of it holds what people wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractUser
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from conversations.models import Reply, ToolRun
from performance.models import Alert, QuerySample, TaskRun

ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
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
    if asked and not ID.fullmatch(asked):
        context["problem"] = "An id has up to 64 letters, digits, dots, colons and dashes."
    elif asked:
        correlation = correlation_of(asked)
        found = look(correlation, request.user)  # type: ignore[arg-type]
        context |= {"found": found, "correlation": correlation}
    shared = admin.site.each_context(request)
    status = 400 if "problem" in context else 200
    return render(request, "happened.html", {**shared, **context}, status=status)


def correlation_of(asked: str) -> str:
    """The id that all the rows share, where `asked` is that of one task among them."""
    run = TaskRun.objects.filter(task_id=asked).exclude(correlation_id="").first()
    return run.correlation_id if run else asked


def look(correlation: str, user: AbstractUser) -> Found:
    """All rows of that id that the user may view, oldest first."""
    found = Found()
    for kind, permission, rows in PARTS:
        if user.has_perm(permission):
            found.rows += rows(correlation)
        else:
            found.hidden.append(kind)
    if user.has_perm("performance.view_alert"):
        found.rows += _alerts([row.at for row in found.rows if row.at])
    else:
        found.hidden.append("alerts")
    found.rows.sort(key=lambda row: (row.at is None, row.at))
    return found


def _replies(correlation: str) -> list[Row]:
    replies = Reply.objects.filter(correlation_id=correlation)[:MOST]
    return [
        Row(
            "reply",
            reply.pending_since,
            f"Attempt {reply.attempt} by {reply.backend} {reply.model}".strip(),
            f"{reply.get_status_display()} {reply.error}".strip(),
            _between(reply.pending_since, reply.finished_at),
            reverse("admin:conversations_reply_change", args=[reply.pk]),
        )
        for reply in replies
    ]


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


def _alerts(times: list[datetime]) -> list[Row]:
    """Those that were firing while any of it happened."""
    if not times:
        return []
    still = Q(resolved_at__isnull=True) | Q(resolved_at__gte=min(times))
    alerts = Alert.objects.filter(still, fired_at__lte=max(times)).select_related("rule")[:MOST]
    return [
        Row(
            "alert",
            alert.fired_at,
            str(alert),
            alert.get_state_display(),
            _between(alert.fired_at, alert.resolved_at),
            reverse("admin:performance_alert_change", args=[alert.pk]),
        )
        for alert in alerts
    ]


def _between(first: datetime | None, last: datetime | None) -> float | None:
    return (last - first).total_seconds() if first and last else None


PARTS: tuple[tuple[str, str, Callable[[str], list[Row]]], ...] = (
    ("replies", "conversations.view_reply", _replies),
    ("tools", "conversations.view_toolrun", _tools),
    ("tasks", "performance.view_taskrun", _tasks),
    ("queries", "performance.view_querysample", _samples),
)
