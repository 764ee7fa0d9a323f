"""Index suggestions and findings in the admin: read the evidence, accept, dismiss with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from performance.admin.base import ReadOnlyAdmin
from performance.admin.labels import SEVERITIES, labelled
from performance.admin.plan_tree import plan_rows
from performance.models import DatabaseFinding, IndexSuggestion, QueryFingerprint

Status = IndexSuggestion.Status
STATUSES = {
    "Proposed": "warning", "Accepted": "info", "Applied": "info", "Helped": "success",
    "Did not help": "danger", "Dismissed": "default",
}  # fmt: skip


@admin.register(IndexSuggestion)
class IndexSuggestionAdmin(ReadOnlyAdmin):
    """What an index would bring, and what was decided about it."""

    list_display = [
        *("definition", "shown_status", "confidence", "comes_to", "takes", "gaining", "last_seen"),
    ]
    list_filter = ["status", "confidence", "alias", "table"]
    search_fields = ["definition", "table", "reason"]

    @labelled("status", STATUSES, "status")
    def shown_status(self, one: IndexSuggestion) -> str:
        return str(one.get_status_display())

    @admin.display(description="cost comes to")
    def comes_to(self, one: IndexSuggestion) -> str:
        return f"{one.ratio:.1%}"

    @admin.display(description="size", ordering="size")
    def takes(self, one: IndexSuggestion) -> str:
        return str(filesizeformat(one.size))

    @admin.display(description="statements")
    def gaining(self, one: IndexSuggestion) -> int:
        return len(one.gains)

    def get_urls(self) -> list[URLPattern]:
        decide = path(
            "<int:number>/decide/",
            self.admin_site.admin_view(decide_view),
            name="performance_index_decide",
        )
        return [decide, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        one = self.get_object(request, object_id)
        if one is None or not self.has_view_permission(request, one):
            return self._answer_for_none(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": str(one),
            "one": one,
            "gains": _gains(one),
            "trees": [
                ("Now", plan_rows(one.plan_before)),
                ("With the index", plan_rows(one.plan_after)),
            ],
            "may_decide": request.user.has_perm("performance.decide_index"),
            "opts": self.opts,
        }
        return render(request, "performance/queries/suggestion.html", context)

    def _answer_for_none(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return found


def _gains(one: IndexSuggestion) -> list[dict[str, Any]]:
    """The statements that gain, with their text where the log has it."""
    ids = [int(g["statement"]) for g in one.gains if g["statement"].removeprefix("-").isdigit()]
    texts = dict(QueryFingerprint.objects.filter(pk__in=ids).values_list("pk", "sql"))
    return [
        gain
        | {
            "sql": texts.get(int(gain["statement"]))
            if gain["statement"].lstrip("-").isdigit()
            else None
        }
        for gain in one.gains
    ]


@require_POST
def decide_view(request: HttpRequest, number: int) -> HttpResponse:
    """Accepts or dismisses a suggestion, or takes that back; writes down who did."""
    if not request.user.has_perm("performance.decide_index"):
        raise PermissionDenied
    one = get_object_or_404(IndexSuggestion, pk=number)
    status, reason = request.POST.get("status", ""), request.POST.get("reason", "").strip()[:300]
    if status not in {Status.ACCEPTED, Status.DISMISSED, Status.PROPOSED}:
        messages.error(request, "Choose to accept, to dismiss or to reopen.")
    elif one.applied_at:
        messages.error(request, "The index is there; nothing is left to decide.")
    elif status == Status.DISMISSED and not reason:
        messages.error(request, "Say why it is dismissed: the next analysis will suggest it again.")
    else:
        _decide(request, one, status, reason)
        messages.success(request, f"The suggestion is {one.get_status_display().lower()}.")
    return redirect("admin:performance_indexsuggestion_change", number)


def _decide(request: HttpRequest, one: IndexSuggestion, status: str, reason: str) -> None:
    one.status, one.reason = status, reason
    one.decided_by_id, one.decided_at = int(request.user.pk or 0), timezone.now()
    one.save(update_fields=["status", "reason", "decided_by", "decided_at"])
    LogEntry.objects.create(
        user_id=int(request.user.pk or 0),
        content_type=ContentType.objects.get_for_model(IndexSuggestion),
        object_id=str(one.pk),
        object_repr=str(one)[:200],
        action_flag=CHANGE,
        change_message=f"{status}: {reason}" if reason else status,
    )


@admin.register(DatabaseFinding)
class DatabaseFindingAdmin(ReadOnlyAdmin):
    """What is wrong now, as the last analysis saw it."""

    list_display = [*("kind", "shown_severity", "about", "said", "first_seen", "last_seen")]
    list_filter = ["severity", "kind", "alias"]
    search_fields = ["about", "said", "remedy", "statement"]
    readonly_fields = [
        "kind",
        "severity",
        "about",
        "said",
        "remedy",
        "sql",
        "statement",
        "first_seen",
        "last_seen",
    ]

    @labelled("severity", SEVERITIES, "severity")
    def shown_severity(self, one: DatabaseFinding) -> str:
        return str(one.get_severity_display())
