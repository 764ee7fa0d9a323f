"""Silences, and the messages that were sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from performance.admin.alert_rule_form import LabelsField
from performance.admin.base import ReadOnlyAdmin
from performance.admin.export import CsvExport
from performance.admin.labels import labelled
from performance.admin.theme import ModelAdmin
from performance.alerts import channels, planning
from performance.models import Notification, Silence

SENT = {"Sent": "success", "Given up": "danger", "Failed, tried again": "warning"}


@admin.register(Silence)
class SilenceAdmin(CsvExport, ModelAdmin):  # type: ignore[misc]
    """Silences and maintenance windows: they may repeat every day or week."""

    list_display = ["reason", "in_force", "covered", "starts", "ends", "repeats"]
    list_filter = ["repeats", "rule"]
    search_fields = ["reason", "rule__name"]
    date_hierarchy = "starts_at"
    list_select_related = ["rule"]
    autocomplete_fields = ["rule"]
    fields = ["reason", "rule", "group", "labels", "starts_at", "ends_at", "repeats"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "labels":
            return LabelsField(required=False, help_text="For example view=home. Empty: all.")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @labelled("now", {"in force": "warning", "ahead": "info", "over": ""})
    def in_force(self, silence: Silence) -> str:
        now = timezone.now()
        if silence.holds_at(now):
            return "in force"
        return "ahead" if silence.starts_at > now or silence.repeats else "over"

    @admin.display(description="what", ordering="rule")
    def covered(self, silence: Silence) -> str:
        return _covered(silence) or "everything"

    @admin.display(description="from", ordering="starts_at")
    def starts(self, silence: Silence) -> str:
        return _moment(silence.starts_at)

    @admin.display(description="until", ordering="ends_at")
    def ends(self, silence: Silence) -> str:
        return _moment(silence.ends_at)

    def save_model(self, request: HttpRequest, obj: Silence, form: Any, change: bool) -> None:
        if not _covered(obj):
            messages.warning(request, "While it lasts nobody is told of any alert.")
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)


def _covered(silence: Silence) -> str:
    """The rule, group and labels that it is for; empty: all there are."""
    group = silence.group and f"group {silence.group}"
    labels = (f"{name}={value}" for name, value in sorted(silence.labels.items()))
    return ", ".join(filter(None, (str(silence.rule or ""), group, *labels)))


def _moment(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else "-"


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """What was sent where, and what could not be: written by workers alone."""

    list_display = ["channel", "group", "shown_state", "attempts", "error", "created", "sent"]
    list_before_template = "performance/alerts/channels.html"
    list_filter = ["state", "channel", "group"]
    search_fields = ["channel", "group", "error"]
    date_hierarchy = "created_at"
    actions = ["try_again"]
    fields = [
        *("channel", "group", "state", "severity", "said", "attempts", "error"),
        *("created_at", "due_at", "claimed_at", "sent_at"),
    ]
    readonly_fields = ["said"]

    class Media:
        css = {"all": ["performance/alerts.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        extra = {"channels": channels.aliases(), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, extra)
        return response

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.test_view))
        named: URLPattern = path("test/", view, name="performance_notification_test")
        return [named, *super().get_urls()]

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Queues a test message: it goes the way that every message goes."""
        if not self.has_acknowledge_permission(request):
            raise PermissionDenied
        alias = request.POST.get("channel", "")
        if alias not in channels.aliases():
            raise Http404
        if row := planning.queue_test(alias, timezone.now()):
            self.log_addition(request, row, "A test message.")
        messages.success(request, f"A test goes to {alias} within seconds; see what became of it.")
        return redirect("admin:performance_notification_changelist")

    @admin.display(description="news")
    def said(self, row: Notification) -> str:
        alerts = {alert.pk: alert for alert in row.alerts.select_related("rule")}
        known = [(one["news"], alerts[one["alert"]]) for one in row.news if one["alert"] in alerts]
        lines = (
            (news, reverse("admin:performance_alert_change", args=[alert.pk]), alert)
            for news, alert in known
        )
        return format_html_join(
            mark_safe("<br>"), '{}: <a class="alert-link" href="{}">{}</a>', lines
        ) or ("a test" if not row.news else "its alerts are gone")

    @admin.display(description="created", ordering="created_at")
    def created(self, row: Notification) -> str:
        return _moment(row.created_at)

    @admin.display(description="sent", ordering="sent_at")
    def sent(self, row: Notification) -> str:
        return _moment(row.sent_at)

    @labelled("state", SENT, "state")
    def shown_state(self, row: Notification) -> str:
        return str(row.get_state_display())

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("performance.acknowledge_alert")

    @admin.action(description="Try again what was given up", permissions=["acknowledge"])
    def try_again(self, request: HttpRequest, rows: Any) -> None:
        state = Notification.State
        changed = rows.filter(state=state.FAILED).update(
            state=state.RETRYING, attempts=0, due_at=timezone.now()
        )
        messages.success(request, f"{changed} messages are sent again.")
