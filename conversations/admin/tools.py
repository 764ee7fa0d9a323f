"""The page of tools: what each is, how it does, and whether it is on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.db.models import Avg, Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from conversations import tools
from conversations.admin.base import ReadOnlyAdmin
from conversations.models import StaffChange, ToolRun, ToolSwitch

DAYS = 7

needs_view = permission_required("conversations.view_toolswitch", raise_exception=True)
needs_change = permission_required("conversations.change_toolswitch", raise_exception=True)


class ToolForm(forms.Form):
    """A tool that there is, on or off, and why."""

    name = forms.CharField(max_length=100)
    is_on = forms.BooleanField(required=False)
    reason = forms.CharField(
        max_length=300,
        error_messages={
            "required": gettext_lazy("Write down why: whoever comes next will want to know.")
        },
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if tools.get(name) is None:
            raise forms.ValidationError(_("There is no tool named %s.") % name)
        return name


@needs_view
@require_http_methods(["GET", "HEAD", "POST"])
def tools_page(request: HttpRequest) -> HttpResponse:
    """All tools; a POST turns one off or on."""
    return _change(request) if request.method == "POST" else _page(request, ToolForm())


@needs_change
def _change(request: HttpRequest) -> HttpResponse:
    form = ToolForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    name, is_on = form.cleaned_data["name"], form.cleaned_data["is_on"]
    with transaction.atomic():
        if is_on:
            changed = ToolSwitch.objects.filter(name=name).delete()[0] > 0
        else:
            changed = ToolSwitch.objects.get_or_create(name=name)[1]
        if changed:
            words = [_("off"), _("on")] if is_on else [_("on"), _("off")]
            StaffChange.note(
                request.user,
                StaffChange.Kind.TOOL,
                name,
                before=words[0],
                after=words[1],
                reason=form.cleaned_data["reason"],
            )
    said = (
        _("%s is on from the next answer on.") if is_on else _("%s is off from the next answer on.")
    )
    messages.success(request, said % name)
    return redirect("admin:conversations_toolswitch_changelist")


def _page(request: HttpRequest, form: ToolForm, status: int = 200) -> HttpResponse:
    context = {"title": _("Tools"), "rows": rows(), "form": form, "days": DAYS}
    shared = admin.site.each_context(request)
    template = "conversations/admin/tools.html"
    return render(request, template, {**shared, **context}, status=status)


def rows() -> list[dict[str, Any]]:
    """Each tool with its figures of the last days; three queries."""
    off = dict(ToolSwitch.objects.values_list("name", "since"))
    figures = _figures()
    kind = StaffChange.Kind.TOOL
    newest = StaffChange.objects.filter(kind=kind).order_by("subject", "-id").distinct("subject")
    changes = {change.subject: change for change in newest}
    return [
        {
            "tool": tool,
            "off_since": off.get(tool.name),
            "change": changes.get(tool.name),
            **figures.get(tool.name, {"calls": 0}),
        }
        for tool in tools.every()
    ]


def _figures() -> dict[str, dict[str, Any]]:
    since = timezone.now() - timedelta(days=DAYS)
    runs = ToolRun.objects.filter(started_at__gte=since).order_by().values("name")
    counted = runs.annotate(
        calls=Count("pk"),
        errors=Count("pk", filter=~Q(error="")),
        cached=Count("pk", filter=Q(cached_at__isnull=False)),
        average=Avg("milliseconds", filter=Q(cached_at__isnull=True)),
    )
    return {
        row["name"]: {
            "calls": row["calls"],
            "errors": _percent(row["errors"], row["calls"]),
            "cached": _percent(row["cached"], row["calls"]),
            "average": row["average"],
        }
        for row in counted
    }


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


@admin.register(ToolSwitch)
class ToolSwitchAdmin(ReadOnlyAdmin):
    """A page in place of a list: most tools have no row."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(tools_page)
        page: URLPattern = path("", view, name="conversations_toolswitch_changelist")
        return [page]
