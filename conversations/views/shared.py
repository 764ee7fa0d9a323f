"""What a share link opens, alike for everybody: nothing here reads a session or asks who is there.

A wrong, an expired and a revoked link get the same answer, byte for byte.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from conversations import limits, sharing
from conversations.windows import asked_number

MOST_OPENS = 120  # a minute, from one address
SHARED_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


@require_safe
@csp_override(SHARED_CSP)
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    """One page of the conversation that the link shows; `?from=` is the place of its first message."""
    if limits.exceeded(request, "shared", MOST_OPENS):
        response = _answer("sharing/busy.html", {}, 429)
        response["Retry-After"] = str(limits.WINDOW)
        return response
    with timezone.override("UTC"):
        return _page(request, secret)


def _page(request: HttpRequest, secret: str) -> HttpResponse:
    link = sharing.find(secret)
    if link is None:
        return _gone()
    try:
        first = asked_number(request.GET, "from", 1)
        page = sharing.linked_page(link, first)
    except Http404:
        return _gone()
    if first == 1 and request.method == "GET":
        link.count_open()
    return _answer("sharing/shared.html", {"page": page, "made_at": link.created_at}, 200)


def _gone() -> HttpResponse:
    return _answer("sharing/gone.html", {}, 404)


def _answer(template: str, context: dict[str, Any], status: int) -> HttpResponse:
    """Rendered without the request, so that no context processor looks at who is signed in."""
    return HttpResponse(render_to_string(template, context), status=status, headers=HEADERS)
