"""Silences, and the messages that were sent."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from performance.admin.alert_rule_form import LabelsField
from performance.admin.base import ReadOnlyAdmin
from performance.admin.export import CsvExport
from performance.admin.labels import labelled
from performance.models import Notification, Silence

SENT = {"Sent": "success", "Given up": "danger", "Failed, tried again": "warning"}


@admin.register(Silence)
class SilenceAdmin(CsvExport, ModelAdmin):  # type: ignore[misc]
    """Silences and maintenance windows: they may repeat every day or week."""

    list_display = ["reason", "in_force", "rule", "group", "starts_at", "ends_at", "repeats"]
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

    def save_model(self, request: HttpRequest, obj: Silence, form: Any, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """What was sent where, and what could not be: written by workers alone."""

    list_display = ["channel", "group", "shown_state", "attempts", "error", "created_at", "sent_at"]
    list_filter = ["state", "channel", "group"]
    search_fields = ["channel", "group", "error"]
    date_hierarchy = "created_at"
    actions = ["try_again"]
    exclude = ["key"]

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
