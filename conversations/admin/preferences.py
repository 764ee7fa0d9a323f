from __future__ import annotations

from django.contrib import admin

from conversations.admin.base import ReadOnlyAdmin
from conversations.models import Preferences


@admin.register(Preferences)
class PreferencesAdmin(ReadOnlyAdmin):
    list_display = ["user", "theme", "language", "time_zone"]
    list_filter = ["theme", "language"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]
    ordering = ["user"]
    # Not the instructions: they are the user's own words.
    fields = ["user", "theme", "chat_model", "use_caches", "keep_history", "language", "time_zone"]
    readonly_fields = fields
