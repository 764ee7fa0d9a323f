"""What all of the chat's admin pages share: they show what happened, and nothing that was said."""

from __future__ import annotations

from typing import Any

from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that the chat itself makes: staff look, search and (with the permission) delete.

    A subclass names the columns that it shows: `fields` and `list_display`.
    """

    list_per_page = 50
    show_full_result_count = False  # a count of millions for a number that nobody reads
    view_on_site = False  # it is their user's page

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only by what the page shows: ?text__startswith= would tell a text letter by letter."""
        shown = {"id", "pk", *_names(self.fields), *_names(self.list_filter)}
        return lookup.split(LOOKUP_SEP)[0] in shown and bool(
            super().lookup_allowed(lookup, value, request)
        )


def _names(columns: Any) -> set[str]:
    """The local fields among `fields` or `list_filter`."""
    first = (column[0] if isinstance(column, (tuple, list)) else column for column in columns or ())
    # A filter that is a class has a parameter of its own.
    names = (getattr(column, "parameter_name", column) for column in first)
    return {name.split(LOOKUP_SEP)[0] for name in names}
