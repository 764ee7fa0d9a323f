"""What the lists of rows that the app itself writes have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from performance.admin.export import CsvExport
from performance.admin.theme import ModelAdmin


class ReadOnlyAdmin(CsvExport, ModelAdmin):  # type: ignore[misc]
    """Staff look, filter, search and download; nobody adds, changes or deletes."""

    list_per_page = 50
    show_full_result_count = False  # a count of millions for a number that nobody reads

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
