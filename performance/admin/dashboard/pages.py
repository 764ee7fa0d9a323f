"""The board's pages: the board, its answer to the browser that watches, and one moment of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from performance.admin.dashboard.board import Board, Wish
from performance.admin.dashboard.episodes import SHOWN
from performance.admin.dashboard.minute import Minute
from performance.admin.dashboard.sections import PARTS, TAIL_PARTS, sections, template
from performance.admin.dashboard.spans import DAY, RANGES, length_of, moment_of, offsets
from performance.alerts.messages import summary

needs_view = permission_required("performance.view_dashboard", raise_exception=True)


@needs_view
@require_safe
@never_cache
def board(request: HttpRequest) -> HttpResponse:
    """The whole page; everything that scripts make livelier is already in it."""
    found = Board(Wish.of(request.GET.dict()))
    context = {
        **_context(request, found),
        "title": "Dashboard",
        "ranges": RANGES.values(),
        "sections": sections(found.charts, found.data, long=_long(found)),
        "payload": {**_state(found), "charts": found.data, "parts": {}},
    }
    return _page(request, "board", context)


@needs_view
@require_safe
@never_cache
def data(request: HttpRequest) -> JsonResponse:
    """What changes on the page, as often as the page asks; `since` spares it the past and the tables."""
    found = Board(Wish.of(request.GET.dict()))
    context = _context(request, found)
    wanted = TAIL_PARTS if found.is_tail or found.wish.metric else PARTS
    parts = {part: render_to_string(template(part), context, request) for part in wanted}
    return JsonResponse({**_state(found), "charts": found.data, "parts": parts})


@needs_view
@require_safe
@never_cache
def minute(request: HttpRequest) -> HttpResponse:
    """The views, statements, tasks and alerts of one minute, or of `seconds` of them."""
    query = request.GET.dict()
    at = moment_of(query.get("at")) or timezone.now() - 2 * length_of(query)
    found = Minute(at, length_of(query))
    return _page(
        request,
        "minute",
        {"title": "What happened", "minute": found, "until": found.around.isoformat()},
    )


def _state(found: Board) -> dict[str, Any]:
    return {
        "at": found.span.until.timestamp(),
        "until": found.until.timestamp(),
        "live": found.answers.live,
        "refresh": found.refresh,
        "whole": found.chosen.whole,
        "tail": found.is_tail,
        "notice": found.notice,
        "offsets": offsets(found.span),
        "long": _long(found),
        "spans": found.episodes.spans(),
    }


def _long(found: Board) -> bool:
    return found.chosen.length > DAY


def _context(request: HttpRequest, found: Board) -> dict[str, Any]:
    firing = found.episodes.firing
    return {
        "board": found,
        "until": found.wish.until and found.wish.until.isoformat(),
        "alerts": [(alert, summary(alert)) for alert in firing[:SHOWN]],
        "more_alerts": max(0, len(firing) - SHOWN),
        "can_view_alerts": request.user.has_perm("performance.view_alert"),
        "can_acknowledge": request.user.has_perm("performance.acknowledge_alert"),
    }


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = admin.site.each_context(request)
    return render(request, f"performance/dashboard/{name}.html", {**shared, **context})
