"""Every step of every alert: who did what, and when."""

from __future__ import annotations

from django.contrib import admin

from performance.admin.base import ReadOnlyAdmin
from performance.models import AlertEvent


@admin.register(AlertEvent)
class AlertEventAdmin(ReadOnlyAdmin):
    """The history across alerts; one alert's own is on its page."""

    list_display = ["at", "kind", "alert", "actor_name", "value", "note"]
    list_filter = ["kind", "at"]
    search_fields = ["note", "actor_name", "alert__rule__name", "alert__rule__title"]
    list_select_related = ["alert__rule"]
    ordering = ["-at", "-id"]
    csv_fields = [
        *("at", "kind", "alert_id", "alert__rule__name", "alert__labels"),
        *("actor_name", "value", "note"),
    ]
