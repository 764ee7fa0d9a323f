from __future__ import annotations

from django.contrib import admin

from conversations.admin.support_access import KeptAdmin
from conversations.models import AccountDeletion


@admin.register(AccountDeletion)
class AccountDeletionAdmin(KeptAdmin):
    list_display = [
        *("user_number", "by_number", "total", "left", "requested_at", "beat_at", "finished_at"),
    ]
    list_filter = ["requested_at", "finished_at"]
    search_fields = ["=user_number"]
    ordering = ["-id"]
    fields = list_display
    readonly_fields = fields
