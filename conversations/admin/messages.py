from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["id", "role", "characters", "conversation", "user", "created_at"]
    list_filter = ["role", "created_at"]
    list_select_related = ["conversation__user"]
    search_fields = ["=id", "=conversation__id", "conversation__user__username"]
    ordering = ["-id"]
    fields = [
        *("conversation", "branch", "place", "role", "characters", "created_at", "renderer"),
        "idempotency_key",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        queryset: QuerySet[Message] = super().get_queryset(request)
        return queryset.annotate(characters=Length("text")).defer("text", "html")

    @admin.display(description="characters")
    def characters(self, message: Message) -> int:
        return int(message.characters)  # type: ignore[attr-defined]

    @admin.display(ordering="conversation__user")
    def user(self, message: Message) -> str:
        return message.conversation.user.get_username()
