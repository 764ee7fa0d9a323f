from __future__ import annotations

from django.contrib import admin

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Attachment


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """What files there are, never what is in them, nor what they are called: those are private."""

    list_display = [
        "id",
        "kind",
        "user",
        "size",
        "text_size",
        "state",
        "problem",
        "page_count",
        "created_at",
    ]
    list_filter = ["kind", "state", "problem", "is_cut", "created_at"]
    list_select_related = ["user"]
    search_fields = ["id", "user__username", "user__email"]
    ordering = ["-created_at"]
    fields = [
        *("id", "user", "conversation", "kind", "media_type", "size", "text_size"),
        *("state", "state_at", "tries", "problem", "page_count", "is_cut", "created_at"),
    ]
    readonly_fields = fields
