"""What all of the chat's admin pages share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that the chat itself makes: staff look, search and (with the permission) delete."""

    list_per_page = 50
    show_full_result_count = False  # a count of millions for a number that nobody reads

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
