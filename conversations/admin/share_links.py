"""Share links: staff see and revoke them, without reading what they show."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import ShareLink, SharingPolicy


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    list_display = [
        *("id", "user", "with_tools", "with_name", "created_at", "expires_at", "revoked_at"),
        *("opens", "last_opened_at"),
    ]
    list_filter = ["with_tools", "with_name", "created_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "=conversation__id"]
    ordering = ["-id"]
    fields = [
        *("user", "conversation_id", "last_place", "with_tools", "with_name"),
        *("created_at", "expires_at", "revoked_at", "opens", "last_opened_at"),
    ]
    readonly_fields = fields
    actions = ["revoke"]

    @admin.action(description="Revoke the chosen links", permissions=["revoke"])
    def revoke(self, request: HttpRequest, links: QuerySet[ShareLink]) -> None:
        chosen = list(links.filter(revoked_at=None).values_list("pk", flat=True))
        count = ShareLink.objects.filter(pk__in=chosen).revoke()
        for link in ShareLink.objects.filter(pk__in=chosen):
            self.log_change(request, link, "Revoked.")
        done = ngettext("%(count)s link is revoked.", "%(count)s links are revoked.", count)
        messages.success(request, done % {"count": count})

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.revoke_sharelink")


@admin.register(SharingPolicy)
class SharingPolicyAdmin(ModelAdmin):  # type: ignore[misc]
    """One row: it is added once, changed, and deleted to leave all to the settings again."""

    list_display = ["__str__", "enabled", "most_days"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may: bool = super().has_add_permission(request)
        return may and not SharingPolicy.objects.exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)
