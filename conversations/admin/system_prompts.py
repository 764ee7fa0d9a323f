"""What every model is told first: versions, of which the newest holds."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from conversations.models import SystemPrompt


@admin.register(SystemPrompt)
class SystemPromptAdmin(ModelAdmin):  # type: ignore[misc]
    """Nobody changes a version: to go back, add the old text as a new one."""

    list_display = ["version", "holds", "at", "by_name", "reason", "length"]
    search_fields = ["text", "reason", "by_name"]
    ordering = ["-id"]
    list_per_page = 50
    show_full_result_count = False
    fields = ["text", "reason"]

    def get_fields(self, request: HttpRequest, obj: SystemPrompt | None = None) -> list[str]:
        return ["text", "reason", "by_name", "at"] if obj else ["text", "reason"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The text that holds now, to be changed."""
        return {"text": SystemPrompt.current().text}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.by, obj.by_name = request.user, request.user.get_username()
        super().save_model(request, obj, form, change)

    @admin.display(description=_("version"), ordering="id")
    def version(self, prompt: SystemPrompt) -> int:
        return prompt.pk

    @admin.display(description=_("holds"), boolean=True)
    def holds(self, prompt: SystemPrompt) -> bool:
        return bool(prompt.pk == self._newest)

    @admin.display(description=_("characters"))
    def length(self, prompt: SystemPrompt) -> int:
        return len(prompt.text)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        self._newest = SystemPrompt.current().version
        return super().changelist_view(request, extra_context)

    _newest = 0
