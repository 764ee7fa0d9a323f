"""Ratings as staff read them: what was said of an answer, and of its text only what was sent along."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Rating, Verdict
from performance.admin.export import CsvExport

GROUPS = 50  # of backend, model and prompt that the summary shows


class CommentFilter(admin.SimpleListFilter):
    """With words of the user's own, or without."""

    title = _("in their words")
    parameter_name = "words"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rating]) -> QuerySet[Rating]:
        match self.value():
            case "1":
                return queryset.exclude(comment="")
            case "0":
                return queryset.filter(comment="")
        return queryset


@admin.register(Rating)
class RatingAdmin(CsvExport, ReadOnlyAdmin):
    """No link leads to the conversation: it is its user's alone."""

    list_display = [
        "created_at",
        "verdict",
        "reason",
        "comment",
        "user",
        "backend",
        "model",
        "prompt",
        "texts_sent",
    ]
    list_filter = [
        "verdict",
        "reason",
        CommentFilter,
        "texts_sent",
        "backend",
        "model",
        "prompt",
        "created_at",
    ]
    list_select_related = ["user"]
    search_fields = ["comment", "user__username"]
    ordering = ["-created_at", "-id"]
    fields = [
        *("verdict", "reason", "comment", "user", "created_at", "changed_at"),
        *("backend", "model", "prompt", "attempt", "texts_sent", "question", "answer"),
    ]
    readonly_fields = fields
    csv_fields = (
        *("created_at", "verdict", "reason", "comment", "user__username"),
        *("backend", "model", "prompt", "texts_sent", "question", "answer"),
    )
    list_before_template = "conversations/admin/ratings.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with sums, over the rows that its filters leave, by what made the answers."""
        response: Any = super().changelist_view(request, extra_context)
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None:
            response.context_data["groups"] = summary(changelist.queryset)
        return response  # type: ignore[no-any-return]


def summary(ratings: QuerySet[Rating]) -> list[dict[str, Any]]:
    """Thumbs up and down by backend, model and prompt version, the most rated first; one query."""
    by = ratings.order_by().values("backend", "model", "prompt")
    sums = by.annotate(
        up=Count("pk", filter=Q(verdict=Verdict.UP)),
        down=Count("pk", filter=Q(verdict=Verdict.DOWN)),
        rated=Count("pk"),
    )
    found = list(sums.order_by("-rated", "backend", "model", "prompt")[:GROUPS])
    return [row | {"share": round(100 * row["up"] / row["rated"])} for row in found]
