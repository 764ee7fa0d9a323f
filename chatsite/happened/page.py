"""The page: who may see what, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chatsite import request_ids
from chatsite.happened import kept, live
from chatsite.happened.row import Found
from performance.models import TaskRun


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
    return run.correlation_id if run else live.correlation_of(asked) or asked


def trace_of(correlation: str) -> str:
    """Where the trace of that request can be looked up; "" where the site does not know."""
    return settings.TRACE_URL.replace("{trace_id}", request_ids.trace_id_of(correlation))


def look(correlation: str, user: AbstractUser) -> Found:
    """All rows of that id that the user may view, oldest first."""
    found = Found()
    for kind, permission, fill in PARTS:
        if user.has_perm(permission):
            fill(correlation, found)
        else:
            found.hidden.append(kind)
    found.rows.sort(key=lambda row: (row.at is None, row.at))
    return found


# Those of alerts come last: they look at when the rest happened.
PARTS: tuple[tuple[str, str, Callable[[str, Found], None]], ...] = (
    ("requests", "performance.view_dashboard", live.requests),
    ("jobs", "performance.view_taskrun", live.jobs),
    ("replies", "conversations.view_reply", kept.replies),
    ("tools", "conversations.view_toolrun", kept.tools),
    ("tasks", "performance.view_taskrun", kept.tasks),
    ("queries", "performance.view_querysample", kept.samples),
    ("alerts", "performance.view_alert", kept.alerts),
)
