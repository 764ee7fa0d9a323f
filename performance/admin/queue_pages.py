"""Pages of the live queues: what staff may see and do has a permission each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import redis
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.decorators import permission_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from performance.models import TaskRun
from performance.queues import cancel, inspection, job_lists, levers, statistics
from performance.queues.levels import Level

PAGE = 50
REGISTRIES = get_args(job_lists.Registry)
needs_view = permission_required("performance.view_queues", raise_exception=True)


@needs_view
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Levels, workers, schedules, and the statistics of the last hour."""
    context: dict[str, Any] = {"title": "Queues"}
    try:
        context |= {
            "levels": inspection.levels(),
            "workers": inspection.workers(),
            "schedules": inspection.schedules(),
        }
    except redis.RedisError:
        context["away"] = True
    context["tasks"] = statistics.by_task()
    return _page(request, "overview", context)


@needs_view
@require_safe
def jobs(request: HttpRequest, level: str, registry: str) -> HttpResponse:
    """One page of a level's jobs in one state."""
    if level not in set(Level) or registry not in REGISTRIES:
        raise Http404
    first = _number(request.GET.get("first"))
    try:
        found = job_lists.jobs(Level(level), registry, first=first, most=PAGE + 1)  # type: ignore[arg-type]
    except redis.RedisError:
        return _away(request)
    context = {
        "title": f"{level}: {registry}",
        "level": level,
        "registry": registry,
        "registries": REGISTRIES,
        "jobs": found[:PAGE],
        "earlier": max(0, first - PAGE) if first else None,
        "later": first + PAGE if len(found) > PAGE else None,
    }
    return _page(request, "jobs", context)


@permission_required("performance.empty_level", raise_exception=True)
@require_safe
def confirm_empty(request: HttpRequest, level: str) -> HttpResponse:
    """Asks before a level is emptied."""
    if level not in set(Level):
        raise Http404
    try:
        state = next(state for state in inspection.levels() if state.level == level)
    except redis.RedisError:
        return _away(request)
    return _page(request, "confirm_empty", {"title": f"Empty {level}?", "state": state})


def _away(request: HttpRequest) -> HttpResponse:
    messages.error(request, "The queue server does not answer.")
    return redirect("admin:performance_queues")


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Does one of ACTIONS, if the user may, and writes down who did it."""
    name, target = request.POST.get("action", ""), request.POST.get("target", "")
    # No level, task or id has such characters, and PostgreSQL could not write a NUL down.
    if name not in ACTIONS or not target.isprintable():
        raise Http404
    permission, action = ACTIONS[name]
    if not request.user.has_perm(f"performance.{permission}"):
        raise PermissionDenied
    try:
        done = action(target)
    except ValueError:
        raise Http404 from None
    except redis.RedisError:
        messages.error(request, "The queue server does not answer; nothing was changed.")
    else:
        _write_down(request, name, target)
        messages.success(request, done)
    return redirect("admin:performance_queues")


def _pause(level: str) -> str:
    levers.pause(Level(level))
    return f"{level} is paused; what runs goes on."


def _resume(level: str) -> str:
    levers.resume(Level(level))
    return f"{level} is served again."


def _empty(level: str) -> str:
    return f"{levers.empty(Level(level))} waiting jobs of {level} were cancelled."


def _retry(job_id: str) -> str:
    return "It waits again." if levers.retry(job_id) else "It is no longer failed."


def _retry_failed(level: str) -> str:
    return f"{levers.retry_failed(Level(level))} failed jobs of {level} wait again."


def _cancel(job_id: str) -> str:
    return f"The task is {cancel(job_id)}."


def _pause_schedule(task: str) -> str:
    levers.pause_schedule(task)
    return f"{task} does not start until it is resumed."


def _resume_schedule(task: str) -> str:
    levers.resume_schedule(task)
    return f"{task} starts when it is due."


ACTIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "pause": ("pause_level", _pause),
    "resume": ("pause_level", _resume),
    "empty": ("empty_level", _empty),
    "retry": ("retry_task", _retry),
    "retry_failed": ("retry_task", _retry_failed),
    "cancel": ("cancel_task", _cancel),
    "pause_schedule": ("pause_level", _pause_schedule),
    "resume_schedule": ("pause_level", _resume_schedule),
}


def _write_down(request: HttpRequest, action: str, target: str) -> None:
    LogEntry.objects.create(
        user_id=int(request.user.pk or 0),
        content_type=ContentType.objects.get_for_model(TaskRun),
        object_repr=f"{action} {target}"[:200],
        action_flag=CHANGE,
        change_message=action,
    )


def _number(text: str | None) -> int:
    return min(int(text), 10_000_000) if text and text.isascii() and text.isdigit() else 0


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = admin.site.each_context(request)
    return render(request, f"performance/queues/{name}.html", {**shared, **context})
