"""The page of models: the backends as configured, how their servers do, what they took and cost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.admin.base import ReadOnlyAdmin
from conversations.ai import ChatBackend, chat_backends
from conversations.models import ChatModel, DailyUsage
from conversations.models.usage import day_of

DAYS = 30

needs_view = permission_required("conversations.view_chatmodel", raise_exception=True)


@needs_view
@require_http_methods(["GET", "HEAD", "POST"])
def models_page(request: HttpRequest) -> HttpResponse:
    """All backends; a POST asks each server for a sign of life."""
    backends = [chat_backends[alias] for alias in settings.CHAT_BACKENDS]
    probed: list[str | None] = [None] * len(backends)
    if request.method == "POST":
        probed = list(async_to_sync(_probe)(backends))
    usage = _usage()
    rows = [
        _row(backend, problem, usage) for backend, problem in zip(backends, probed, strict=True)
    ]
    context = {"title": _("Models"), "rows": rows, "days": DAYS, "currency": settings.CHAT_CURRENCY}
    shared = admin.site.each_context(request)
    return render(request, "conversations/admin/models.html", {**shared, **context})


async def _probe(backends: list[ChatBackend]) -> list[str]:
    return await asyncio.gather(*(backend.probe() for backend in backends))


def _row(backend: ChatBackend, problem: str | None, usage: dict[str, Any]) -> dict[str, Any]:
    seen = backend.seen()
    requests, tokens = backend.limits
    return {
        "alias": backend.alias,
        "label": backend.label,
        "model": backend.model,
        "kind": f"{type(backend).__module__}.{type(backend).__qualname__}",
        "is_free": not backend.is_language_model,
        "prices": [(model, backend.price_for(model)) for model in backend.models],
        "requests": requests,
        "tokens": tokens,
        "is_probed": problem is not None,
        "problem": problem,
        "seen": seen | {"ok_at": _moment(seen, "ok_at"), "error_at": _moment(seen, "error_at")},
        "usage": usage.get(backend.alias, []),
    }


def _moment(seen: dict[str, str], name: str) -> datetime | None:
    return datetime.fromtimestamp(float(seen[name]), UTC) if name in seen else None


def _usage() -> dict[str, list[dict[str, Any]]]:
    """Of the last days, by backend and model; one query."""
    since = day_of(timezone.now()) - timedelta(days=DAYS - 1)
    rows = DailyUsage.objects.filter(day__gte=since).values("backend", "model", "currency")
    sums = rows.annotate(
        answers=Sum("messages"),
        read=Sum("input_tokens"),
        written=Sum("output_tokens"),
        spent=Sum("cost"),
        saved=Sum("saved_cost"),
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sums.order_by("backend", "model", "currency"):
        found.setdefault(row["backend"], []).append(dict(row))
    return found


@admin.register(ChatModel)
class ChatModelAdmin(ReadOnlyAdmin):
    """A page in place of a list."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(models_page)
        page: URLPattern = path("", view, name="conversations_chatmodel_changelist")
        return [page]
