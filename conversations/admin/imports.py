from __future__ import annotations

from django.contrib import admin

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Import


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    """How imports went: figures alone, since the report names titles."""

    list_display = [
        "id",
        "user",
        "state",
        "problem",
        "seen",
        "total",
        "taken",
        "refused",
        "created_at",
    ]
    list_filter = ["state", "problem", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]
    ordering = ["-id"]
    fields = [
        *("user", "state", "state_at", "tries", "problem"),
        *("total", "seen", "taken", "already", "refused", "message_count", "created_at"),
    ]
    readonly_fields = fields
