from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import EmptyFieldListFilter

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import ToolRun


@admin.register(ToolRun)
class ToolRunAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "name",
        "succeeded",
        "milliseconds",
        "user",
        "permission",
        "cached_at",
        "started_at",
    ]
    list_filter = ["name", "permission", ("cached_at", EmptyFieldListFilter), "started_at"]
    list_select_related = ["reply__message__conversation__user"]
    search_fields = ["name"]
    ordering = ["-id"]
    fields = [
        *("reply", "attempt", "name", "version", "succeeded", "started_at", "milliseconds"),
        *("cached_at", "permission", "decided_at"),
    ]
    readonly_fields = fields

    @admin.display(boolean=True)
    def succeeded(self, run: ToolRun) -> bool:
        return run.succeeded

    @admin.display(ordering="reply__message__conversation__user")
    def user(self, run: ToolRun) -> str:
        return run.reply.message.conversation.user.get_username()
