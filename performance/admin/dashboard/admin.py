"""The board's place in the admin: /admin/performance/dashboard/."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path

from performance.admin.base import ReadOnlyAdmin
from performance.admin.dashboard import pages
from performance.models import Dashboard


@admin.register(Dashboard)
class DashboardAdmin(ReadOnlyAdmin):
    """Pages in place of a list: the model is there for its address, its permission and its entry."""

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            found: URLPattern = path(
                route, self.admin_site.admin_view(view), name=f"performance_dashboard{name}"
            )
            return found

        return [
            page("", pages.board, ""),
            page("", pages.board, "_changelist"),
            page("data/", pages.data, "_data"),
            page("minute/", pages.minute, "_minute"),
        ]
