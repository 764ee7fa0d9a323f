from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from conversations.admin.base import ReadOnlyAdmin
from conversations.admin.reading import break_glass, read
from conversations.models import Conversation, Message


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ["id", "user", "message_count", "created_at", "last_message_at"]
    list_filter = ["pinned", "archived", "last_message_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "=id"]
    date_hierarchy = "last_message_at"
    ordering = ["-last_message_at", "-id"]
    fields = [
        *("id", "user", "message_count", "pinned", "archived", "title_is_chosen"),
        *(
            "reuse_answers",
            "temporary",
            "chat_model",
            "created_at",
            "last_message_at",
            "idempotency_key",
            "what_was_said",
        ),
    ]
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """With the pages that show what was said, to those who may read it."""
        view = self.admin_site.admin_view
        pages: list[URLPattern] = [
            path("<uuid:pk>/read/", view(read), name="conversations_conversation_read"),
            path(
                "<uuid:pk>/break-glass/",
                view(break_glass),
                name="conversations_conversation_break_glass",
            ),
        ]
        return [*pages, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        queryset: QuerySet[Conversation] = super().get_queryset(request)
        counted = Message.objects.filter(conversation=OuterRef("pk")).order_by()
        counts = counted.values("conversation").annotate(count=Count("pk")).values("count")
        return queryset.annotate(message_count=Coalesce(Subquery(counts), 0))

    @admin.display(description="messages")
    def message_count(self, conversation: Any) -> int:
        return int(conversation.message_count)

    @admin.display(description="what was said")
    def what_was_said(self, conversation: Conversation) -> str:
        url = reverse("admin:conversations_conversation_read", args=[conversation.pk])
        return format_html('Private. <a href="{}">Read it</a> if its user consents.', url)
