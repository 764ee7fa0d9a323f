"""Error pages: each says what is wrong, what was kept, and where to go on."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template import loader
from django.views import defaults

from chatsite import request_ids

NOT_SHOWN = {"csrfmiddlewaretoken", "text"}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old: shows the text again, with a fresh token where the form is our own."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse("The form has expired.", status=403, content_type="text/plain")
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
    page = loader.get_template("500.html").render({"request_id": request_ids.current()})
    return HttpResponse(page, status=500)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    if isinstance(exception, SuspiciousOperation):
        return render(request, "400.html", status=400)
    return defaults.bad_request(request, exception)
