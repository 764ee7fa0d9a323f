from __future__ import annotations

from django.contrib import admin

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Branch


@admin.register(Branch)
class BranchAdmin(ReadOnlyAdmin):
    list_display = ["id", "conversation", "parent", "departs_after", "shown_at"]
    list_select_related = ["conversation", "parent"]
    search_fields = ["=conversation__id"]
    ordering = ["-id"]
    fields = ["conversation", "parent", "fork", "shown_at"]
    readonly_fields = fields

    @admin.display(description="departs after place")
    def departs_after(self, branch: Branch) -> int:
        return branch.fork
