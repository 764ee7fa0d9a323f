"""The page of switches, and the list of what was switched."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from performance import switches
from performance.admin.base import ReadOnlyAdmin
from performance.models import SwitchChange
from performance.switches import Switch

needs_view = permission_required("performance.view_switchchange", raise_exception=True)
needs_change = permission_required("performance.change_switches", raise_exception=True)


class SwitchForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is to be switched, and why."""

    reason = forms.CharField(
        max_length=300,
        error_messages={"required": "Write down why: whoever comes next will want to know."},
    )

    class Meta:
        model = SwitchChange
        fields = ["switch", "is_on", "reason"]


@needs_view
@require_http_methods(["GET", "HEAD", "POST"])
def switches_page(request: HttpRequest) -> HttpResponse:
    """The state of every switch; a POST changes one."""
    return change(request) if request.method == "POST" else _page(request, SwitchForm())


@needs_change
def change(request: HttpRequest) -> HttpResponse:
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    form.instance.by = request.user
    form.instance.by_name = request.user.get_username()
    made = form.save()
    switches.refresh()
    where = "The other processes follow within seconds."
    messages.success(
        request, f"{made.get_switch_display()}: {'on' if made.is_on else 'off'}. {where}"
    )
    return redirect("admin:performance_switches")


def _page(request: HttpRequest, form: SwitchForm, status: int = 200) -> HttpResponse:
    newest = {change.switch: change for change in SwitchChange.objects.newest()}
    rows = [
        {
            "switch": switch,
            "is_configured": switches.is_configured(switch),
            "change": newest.get(switch.value),
            "is_off": switch.value in newest and not newest[switch.value].is_on,
        }
        for switch in Switch
    ]
    context = {"title": "Switches", "rows": rows, "form": form}
    shared = admin.site.each_context(request)
    return render(request, "performance/switches.html", {**shared, **context}, status=status)


@admin.register(SwitchChange)
class SwitchChangeAdmin(ReadOnlyAdmin):
    """Who switched what, when and why; only read here."""

    list_before_template = "performance/switches_link.html"
    list_display = ["at", "switch", "is_on", "by_name", "reason"]
    list_filter = ["switch", "is_on", "at"]
    search_fields = ["by_name", "reason"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(switches_page)
        page: URLPattern = path("switches/", view, name="performance_switches")
        return [page, *super().get_urls()]
