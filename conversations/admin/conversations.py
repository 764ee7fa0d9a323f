from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ["title_or_new", "user", "message_count", "created_at", "last_message_at"]
    list_filter = ["pinned", "archived", "last_message_at"]
    list_select_related = ["user"]
    search_fields = ["title", "user__username", "user__email", "id"]
    date_hierarchy = "last_message_at"
    ordering = ["-last_message_at", "-id"]
    fields = [
        *("id", "title", "user", "pinned", "archived", "tags"),
        *("created_at", "last_message_at", "idempotency_key"),
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        queryset: QuerySet[Conversation] = super().get_queryset(request)
        return queryset.annotate(message_count=Count("messages"))

    @admin.display(description="title", ordering="title")
    def title_or_new(self, conversation: Conversation) -> str:
        return str(conversation)

    @admin.display(description="messages")
    def message_count(self, conversation: Any) -> int:
        return int(conversation.message_count)
