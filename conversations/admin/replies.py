from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import EmptyFieldListFilter
from django.http import HttpRequest
from unfold.admin import TabularInline

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Reply, ToolRun


class ToolRunInline(TabularInline):  # type: ignore[misc]
    model = ToolRun
    fields = ["name", "attempt", "permission", "milliseconds", "cached_at"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Reply)
class ReplyAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "status",
        "attempt",
        "author",
        "model",
        "user",
        "error",
        "to_first_text",
        "pending_since",
    ]
    list_filter = [
        "status",
        "error",
        "backend",
        ("cached_at", EmptyFieldListFilter),
        "pending_since",
    ]
    list_select_related = ["message__conversation__user"]
    search_fields = ["correlation_id", "model", "message__conversation__user__username"]
    ordering = ["-id"]
    fields = [
        *("message", "status", "attempt", "backend", "model", "author", "error"),
        *("input_tokens", "output_tokens", "cached_tokens", "tokens_estimated", "cost", "currency"),
        *("input_price", "cached_price", "output_price", "saved_tokens", "saved_cost", "prompt"),
        *("correlation_id", "stream_start", "frames", "waits_until"),
        *("fresh", "cached_at", "continues"),
        *("stop_requested", "pending_since", "enqueued_at", "started_at", "asked_at"),
        *("first_event_at", "first_text_at", "published_at", "finished_at", "beat_at"),
    ]
    readonly_fields = fields
    inlines = [ToolRunInline]

    @admin.display(ordering="message__conversation__user")
    def user(self, reply: Reply) -> str:
        return reply.message.conversation.user.get_username()

    @admin.display(description="to first text")
    def to_first_text(self, reply: Reply) -> str:
        if reply.first_text_at is None:
            return "-"
        return f"{(reply.first_text_at - reply.pending_since).total_seconds():.2f} s"
