"""Who may read, and who has read: looked at here, changed by nobody."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import SupportAccess, SupportAccessEvent


class KeptAdmin(ReadOnlyAdmin):
    """Not deleted here either."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SupportAccess)
class SupportAccessAdmin(KeptAdmin):
    list_display = [
        *("id", "user", "conversation_id", "is_by_consent", "staff", "reason"),
        *("opened_at", "expires_at", "ended_at"),
    ]
    list_filter = ["opened_at", "ended_at"]
    list_select_related = ["user", "staff"]
    search_fields = ["user__username", "staff__username", "=conversation__id", "reason"]
    ordering = ["-id"]
    fields = [
        *("user", "conversation_id", "staff", "reason", "opened_at", "expires_at", "ended_at"),
    ]
    readonly_fields = fields

    @admin.display(boolean=True, description="by consent")
    def is_by_consent(self, access: SupportAccess) -> bool:
        return access.is_by_consent


@admin.register(SupportAccessEvent)
class SupportAccessEventAdmin(KeptAdmin):
    list_display = [
        *("at", "kind", "staff_name", "owner_number", "conversation_number", "access_number"),
        "reason",
    ]
    list_filter = ["kind", "at"]
    search_fields = ["staff_name", "=conversation_number", "=owner_number", "reason"]
    ordering = ["-id"]
    fields = [
        *("at", "kind", "staff_name", "staff_number", "owner_number", "conversation_number"),
        *("access_number", "reason"),
    ]
    readonly_fields = fields
