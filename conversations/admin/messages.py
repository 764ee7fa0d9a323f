from __future__ import annotations

from django.contrib import admin
from django.utils.text import Truncator

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["id", "role", "beginning", "conversation", "user", "created_at"]
    list_filter = ["role", "created_at"]
    list_select_related = ["conversation__user"]
    search_fields = ["text", "conversation__title", "conversation__user__username"]
    ordering = ["-id"]
    fields = ["conversation", "role", "text", "created_at", "renderer", "idempotency_key"]
    readonly_fields = fields

    @admin.display(description="text")
    def beginning(self, message: Message) -> str:
        return Truncator(message.text).chars(80)

    @admin.display(ordering="conversation__user")
    def user(self, message: Message) -> str:
        return message.conversation.user.get_username()
