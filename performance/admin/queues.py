"""Task runs in the admin, and the pages of the live queues beside them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path

from performance.admin import queue_pages
from performance.admin.base import ReadOnlyAdmin
from performance.models import TaskRun


@admin.register(TaskRun)
class TaskRunAdmin(ReadOnlyAdmin):
    """Rows are written by workers alone, so they are only read here."""

    list_display = [
        *("task", "level", "status", "waited_seconds", "ran_seconds", "attempt"),
        *("who", "about", "error", "finished_at"),
    ]
    list_filter = ["status", "level", "task"]
    search_fields = ["task_id", "task", "correlation_id", "who", "about", "error"]
    date_hierarchy = "finished_at"
    list_before_template = "performance/queues/link.html"

    @admin.display(description="waited (s)", ordering="waited")
    def waited_seconds(self, run: TaskRun) -> str:
        return f"{run.waited:.3f}"

    @admin.display(description="ran (s)", ordering="ran")
    def ran_seconds(self, run: TaskRun) -> str:
        return f"{run.ran:.3f}"

    def get_urls(self) -> list[URLPattern]:
        """The live pages, before the list's own catch-all."""

        def page(route: str, view: Any, name: str) -> URLPattern:
            found: URLPattern = path(
                route, self.admin_site.admin_view(view), name=f"performance_{name}"
            )
            return found

        live = [
            page("queues/", queue_pages.overview, "queues"),
            page("queues/act/", queue_pages.act, "queue_action"),
            page("queues/<str:level>/empty/", queue_pages.confirm_empty, "queue_empty"),
            page("queues/<str:level>/<str:registry>/", queue_pages.jobs, "queue_jobs"),
        ]
        return [*live, *super().get_urls()]
