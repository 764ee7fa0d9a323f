"""The time zone of a page: the one that the user chose, else what their browser said, else the site's.

The staff's pages are in the site's own, as its logs are, and so is what is shared, for all alike.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from chatsite.languages import SHARED, STAFF
from conversations import zones

COOKIE = "time_zone"


class TimeZoneMiddleware:
    """Stands below whatever knows the visitor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # It stays active after the answer, as the language does: what is streamed is written later.
        timezone.deactivate()
        if wanted := _wanted(request):
            timezone.activate(wanted)
        return self._get_response(request)


def _wanted(request: HttpRequest) -> str:
    """ "" for the site's own, also where a name that was stored means nothing any more."""
    if request.path.startswith((STAFF, SHARED)):
        return ""
    chosen: str = request.preferences.time_zone  # type: ignore[attr-defined]
    wanted = chosen or request.COOKIES.get(COOKIE, "")
    return wanted if wanted in zones.names() else ""
