"""Error pages: each says what is wrong, what was kept, and where to go on."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _
from django.views import defaults

from chatsite import request_ids
from chatsite.postgresql.errors import is_away
from conversations import prepared, validators

BUSY_SECONDS = 5  # until somebody who met a database that is busy or away may try again
NOT_SHOWN = {"csrfmiddlewaretoken", "text"}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old: shows the text again, with a fresh token where the form is our own."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(_("The form has expired."), status=403, content_type="text/plain")
    context = {
        "may_resend": _from_our_page(request) and not _has_secrets(request.POST),
        "fields": _fields(request.POST),
        "text": request.POST.get("text"),
        "back": request.path.removesuffix("messages/"),
    }
    return render(request, "403_csrf.html", context, status=403)


def _from_our_page(request: HttpRequest) -> bool:
    """Another site's form must not be offered for sending: its text is not the user's."""
    if "Sec-Fetch-Site" in request.headers:
        return request.headers["Sec-Fetch-Site"] == "same-origin"
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"


def _has_secrets(form: QueryDict) -> bool:
    return any("password" in name for name in form)


def _fields(form: QueryDict) -> list[tuple[str, str]]:
    return [
        (name, str(value))
        for name, values in form.lists()
        if name not in NOT_SHOWN
        for value in values
    ]


def server_error(request: HttpRequest) -> HttpResponse:
    """As Django's: no context processor runs, since what failed may be what they need."""
    error = sys.exception()
    if isinstance(error, OperationalError | InterfaceError):
        return database_busy(request, away=is_away(error))
    page = loader.get_template("500.html").render({"request_id": request_ids.current()})
    return HttpResponse(page, status=500)


def database_busy(request: HttpRequest, *, away: bool) -> HttpResponse:
    """PostgreSQL is away, has no connection to spare, or ended a statement that took too long.

    A text that was posted is shown again: under the same idempotency key it is sent once at most.
    """
    headers = {"Retry-After": str(BUSY_SECONDS), "Cache-Control": "no-store"}
    if request.headers.get("HX-Request") == "true":
        text = _("The site is busy. What you typed is still here: try again in a moment.")
        return HttpResponse(text, status=503, content_type="text/plain", headers=headers)
    page = loader.get_template("503.html").render(_unsent(request, away=away))
    return HttpResponse(page, status=503, headers=headers)


def _unsent(request: HttpRequest, *, away: bool) -> dict[str, Any]:
    """What the page of a database that does not answer needs; nothing of it asks that database."""
    posted = request.method == "POST"
    again = posted and _from_our_page(request) and not _has_secrets(request.POST)
    return {
        "away": away,
        "request_id": request_ids.current(),
        "retry": away and request.method == "GET",
        "may_resend": again,
        "path": request.path,
        "fields": _fields(request.POST) if again else (),
        "text": request.POST.get("text") if posted else None,
        "csrf_token": get_token(request),
    }


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """One page for all that is not there: whoever looks for holes asks for thousands."""
    response = prepared.public(request, validators.anybody(request, "404"), "404.html", dict)
    response.status_code = 404
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    if isinstance(exception, SuspiciousOperation):
        return render(request, "400.html", status=400)
    return defaults.bad_request(request, exception)
