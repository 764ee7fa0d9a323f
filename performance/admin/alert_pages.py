"""Pages of one alert: what is wrong, since when, what to do, and the buttons to do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from performance.alerts import actions, drawing, writing
from performance.alerts import messages as words
from performance.alerts.preview import preview
from performance.metrics import MetricsUnavailable
from performance.models import Alert, AlertEvent
from performance.models.alerts import Cause

NOTE = 2000
MOST_ALERTS = 1000
"""That one form may name."""
SILENCES = {"1 hour": 3600, "4 hours": 4 * 3600, "1 day": 24 * 3600, "1 week": 7 * 24 * 3600}
BEFORE, SHORTEST = timedelta(hours=1), timedelta(hours=3)
MOST_EVENTS = 200
EARLIER = 10
needs_view = permission_required("performance.view_alert", raise_exception=True)


@needs_view
@require_safe
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """The alert's page."""
    if not _is_key(pk):
        raise Http404
    alert = get_object_or_404(
        Alert.objects.select_related("rule", "assignee", "acknowledged_by"), pk=pk
    )
    context = {
        **admin.site.each_context(request),
        "title": str(alert),
        "alert": alert,
        "rule": alert.rule,
        "summary": words.summary(alert),
        "peak": "" if alert.peak is None else words.reading(alert, alert.peak),
        "condition": words.condition(alert.rule),
        "runbook": writing.path_of(alert.rule.runbook),
        "events": _events(alert),
        "silences": SILENCES,
        "staff": _staff() if request.user.has_perm("performance.acknowledge_alert") else [],
        "earlier": alert.rule.alerts.fired().filter(key=alert.key).exclude(pk=alert.pk)[:EARLIER],
        "pictures": _pictures(alert),
        "notifications": alert.notifications.order_by("-created_at")[:EARLIER],
    }
    return render(request, "performance/alerts/alert.html", context)


def _events(alert: Alert) -> list[tuple[AlertEvent, str]]:
    """What happened, newest first, each with the value it had."""
    found = alert.events.order_by("-at", "-id")[:MOST_EVENTS]
    return [(one, "" if one.value is None else words.reading(alert, one.value)) for one in found]


def _staff() -> Any:
    people: Any = get_user_model()
    return people.objects.filter(is_active=True, is_staff=True).order_by("username")[:200]


def _pictures(alert: Alert) -> list[drawing.Picture]:
    """The rule's value around the alert; none where nothing can be read: the page must still come."""
    if alert.cause == Cause.ERROR:
        return []
    until = min(timezone.now(), (alert.resolved_at or timezone.now()) + BEFORE)
    span = min(timedelta(days=1), max(SHORTEST, until - alert.began_at + BEFORE))
    try:
        found = preview(alert.rule, until, span=span, labels=alert.labels)
    except (MetricsUnavailable, ValueError):
        return []
    return drawing.draw(alert.rule, found)


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Does one of ACTIONS to the alerts that are named, if the user may."""
    if not request.user.has_perm("performance.acknowledge_alert"):
        raise PermissionDenied
    action = ACTIONS.get(request.POST.get("action", ""))
    keys = _keys(request)
    if action is None or not keys:
        raise Http404
    try:
        said, changed = action(request, keys)
    except ValueError as error:
        messages.error(request, str(error))
    else:
        _tell(request, said, changed, len(keys))
    if len(keys) == 1:
        return redirect("admin:performance_alert_change", keys[0])
    return redirect("admin:performance_alert_changelist")


def _keys(request: HttpRequest) -> list[int]:
    """The alerts that the form names, each once; what cannot be a key is none."""
    texts = dict.fromkeys(request.POST.getlist("alert"))
    return [int(text) for text in texts if _is_key(text)][:MOST_ALERTS]


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _tell(request: HttpRequest, said: str, changed: int, asked: int) -> None:
    if changed == asked:
        messages.success(request, said)
    elif changed:
        rest = asked - changed
        messages.warning(request, f"{said} {rest} of {asked} had changed meanwhile and were left.")
    else:
        messages.warning(request, "Nothing was changed: somebody was faster, or it has resolved.")


Done = tuple[str, int]


def _note(request: HttpRequest) -> str:
    """The note; what PostgreSQL cannot hold (NUL, half of a surrogate pair) is left out."""
    text = request.POST.get("note", "").encode(errors="ignore").decode().replace("\0", "")
    return text.strip()[:NOTE]


def _acknowledge(request: HttpRequest, keys: list[int]) -> Done:
    return "Acknowledged.", actions.acknowledge(keys, by=_user(request), note=_note(request))


def _unacknowledge(request: HttpRequest, keys: list[int]) -> Done:
    return "It fires again.", actions.unacknowledge(keys, by=_user(request), note=_note(request))


def _take(request: HttpRequest, keys: list[int]) -> Done:
    user = _user(request)
    return "It is yours.", actions.assign(keys, to=user, by=user, note=_note(request))


def _assign(request: HttpRequest, keys: list[int]) -> Done:
    chosen = request.POST.get("assignee", "")
    to = None
    if chosen:
        to = _staff_member(chosen)
        if to is None:
            raise ValueError(f"assignee is {chosen[:40]!r}: it must be a member of staff.")
    return "Assigned.", actions.assign(keys, to=to, by=_user(request), note=_note(request))


def _staff_member(chosen: str) -> Any:
    if not _is_key(chosen):
        return None
    people: Any = get_user_model()
    return people.objects.filter(pk=int(chosen), is_active=True, is_staff=True).first()


def _silence(request: HttpRequest, keys: list[int]) -> Done:
    text = request.POST.get("seconds", "")
    if text not in {str(seconds) for seconds in SILENCES.values()}:
        raise ValueError(f"seconds is {text[:20]!r}: choose one of the times in the list.")
    changed = actions.silence(keys, seconds=int(text), by=_user(request), note=_note(request))
    return "Silenced.", changed


def _comment(request: HttpRequest, keys: list[int]) -> Done:
    return "Added.", actions.comment(keys, by=_user(request), note=_note(request))


def _user(request: HttpRequest) -> Any:
    return request.user


ACTIONS: dict[str, Callable[[HttpRequest, list[int]], Done]] = {
    "acknowledge": _acknowledge,
    "unacknowledge": _unacknowledge,
    "take": _take,
    "assign": _assign,
    "silence": _silence,
    "comment": _comment,
}


@needs_view
@require_safe
def runbook(request: HttpRequest, name: str) -> HttpResponse:
    """A page of the runbooks' directory."""
    path = writing.file_of(name)  # a slug: no path leads elsewhere
    if path is None:
        raise Http404
    from markdown_it import MarkdownIt  # 60 modules that no other page of the app needs

    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(path.read_text())
    context = {
        **admin.site.each_context(request),
        "title": "Runbook",
        "html": mark_safe(html),  # noqa: S308 -- our own file, raw HTML off
    }
    return render(request, "performance/alerts/runbook.html", context)
