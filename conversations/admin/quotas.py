"""Quotas as staff manage them, who is at one, and what was changed by whom."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from conversations import quota_words
from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Quota, StaffChange
from conversations.quotas import Limit, board, units


class WhyForm(forms.Form):
    """Why staff change or delete a quota."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        error_messages={
            "required": _("Write down why: whoever comes next will want to know."),
        },
    )


class ReasonForm(WhyForm, forms.ModelForm):  # type: ignore[type-arg]
    """A change, and why it is made."""


@admin.register(Quota)
class QuotaAdmin(ModelAdmin):  # type: ignore[misc]
    form = ReasonForm
    list_display = ["holder_in_words", "allowance_in_words"]
    list_filter = ["measure", "period", "group"]
    list_select_related = ["user", "group"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["user__username", "user__email", "group__name"]
    autocomplete_fields = ["user", "group"]
    fields = ["user", "group", "measure", "period", "most", "reason"]
    actions = None  # each one that goes is asked for its reason
    list_before_template = "conversations/admin/quotas.html"
    delete_confirmation_template = "conversations/admin/quota_delete.html"

    @admin.display(description=_("for"))
    def holder_in_words(self, quota: Quota) -> str:
        return quota.holder

    @admin.display(description=_("allows"))
    def allowance_in_words(self, quota: Quota) -> str:
        if quota.most is None:
            return quota.allowance
        limit = Limit(quota.measure, quota.period, units(quota.measure, quota.most))
        return quota_words.name(limit)

    def save_model(self, request: HttpRequest, obj: Quota, form: Any, change: bool) -> None:
        before = str(Quota.objects.get(pk=obj.pk)) if change else ""
        super().save_model(request, obj, form, change)
        self._note(request, obj, before, str(obj), form.cleaned_data["reason"])

    def delete_model(self, request: HttpRequest, obj: Quota) -> None:
        self._note(request, obj, str(obj), "", request.POST["reason"].strip())
        super().delete_model(request, obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Asks again while there is no reason: Django's own deletes at any POST."""
        form = WhyForm(request.POST or None)
        if form.is_bound and not form.is_valid():
            request.POST = QueryDict()
        context = {**(extra_context or {}), "form": form}
        return super().delete_view(request, object_id, context)  # type: ignore[no-any-return]

    def _note(
        self, request: HttpRequest, quota: Quota, before: str, after: str, reason: str
    ) -> None:
        kind = StaffChange.Kind.QUOTA
        StaffChange.note(
            request.user, kind, quota.holder, before=before, after=after, reason=reason
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rows = [
            {
                "username": one.username,
                "name": quota_words.name(one.standing.limit),
                "used": quota_words.amount(one.standing.limit, one.standing.used),
                "percent": one.standing.percent,
                "resets": quota_words.resets(one.standing),
            }
            for one in board.near()
        ]
        context = {**(extra_context or {}), "near": rows, "from_percent": board.NEAR}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]


@admin.register(StaffChange)
class StaffChangeAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "subject", "before", "after", "by_name", "reason"]
    list_filter = ["kind", "at"]
    search_fields = ["subject", "by_name", "reason"]
    ordering = ["-id"]
    fields = ["at", "kind", "subject", "before", "after", "by_name", "reason"]
    readonly_fields = fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
