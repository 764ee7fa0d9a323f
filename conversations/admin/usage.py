"""What was used, by user, model and day: rows that answers add to as they end."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import DailyUsage
from conversations.models.usage import SUMS
from conversations.money import money
from performance.admin.export import CsvExport


@admin.register(DailyUsage)
class DailyUsageAdmin(CsvExport, ReadOnlyAdmin):
    list_display = [
        *("day", "user", "backend", "model", "messages", "input_tokens", "output_tokens"),
        *("cached_tokens", "estimated", "cost_in_words", "saved_answers", "saved_tokens"),
        "saved_in_words",
    ]
    list_filter = ["day", "backend", "model", "currency"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "model"]
    ordering = ["-day", "-id"]
    fields = ["day", "user", "backend", "model", *SUMS, "currency"]
    readonly_fields = fields
    csv_fields = ("day", "user__username", "backend", "model", *SUMS, "currency")
    list_before_template = "conversations/admin/usage.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("cost"), ordering="cost")
    def cost_in_words(self, usage: DailyUsage) -> str:
        return money(usage.cost, usage.currency)

    @admin.display(description=_("cost saved"), ordering="saved_cost")
    def saved_in_words(self, usage: DailyUsage) -> str:
        return money(usage.saved_cost, usage.currency)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with the sums, by currency, of all rows that its filters leave."""
        response: Any = super().changelist_view(request, extra_context)
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None:
            by = changelist.queryset.order_by().values("currency")
            sums = by.annotate(**{f"total_{name}": Sum(name) for name in SUMS})
            response.context_data["totals"] = list(sums.order_by("currency"))
        return response  # type: ignore[no-any-return]
