"""Requests of signed-in users, and what a page script may ask for instead of a whole page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate
from urllib.parse import unquote_to_bytes, urlencode

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from conversations.models import Preferences


class ChosenHttpRequest(HttpRequest):
    """With the visitor's choices: those of the user who is signed in, or of the browser's cookies."""

    preferences: Preferences


class AuthenticatedHttpRequest(ChosenHttpRequest):
    user: User


def wants_fragment(request: HttpRequest) -> bool:
    """True where htmx asks: the answer is a part of a page, and errors are short."""
    return request.headers.get("HX-Request") == "true"


def signed_in[**P, R: HttpResponseBase](
    view: Callable[Concatenate[AuthenticatedHttpRequest, P], R],
) -> Callable[Concatenate[HttpRequest, P], R | HttpResponse]:
    """Asks others to sign in. A text that they posted is shown to them, not lost."""

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
        if request.user.is_authenticated:
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
            # After a sign-out, Back must not show what was read: what browsers may keep (see
            # `conditional`) the answer to a sign-out tells them to forget.
            if not response.has_header("ETag"):
                patch_cache_control(response, private=True, no_store=True)
            return response
        if wants_fragment(request):
            return HttpResponse(_("You are signed out."), status=401, content_type="text/plain")
        if request.method == "POST":
            return _signed_out_with_text(request)
        return redirect_to_login(request.get_full_path())

    return inner  # type: ignore[return-value]


def _signed_out_with_text(request: HttpRequest) -> HttpResponse:
    back = request.path.removesuffix("messages/")
    context = {
        "login_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}",
        "text": request.POST.get("text", ""),
    }
    return render(request, "signed_out.html", context, status=401)


def is_valid_utf8(request: HttpRequest) -> bool:
    """False where a posted form has bytes that are not UTF-8: Django replaced them by U+FFFD."""
    if request.content_type != "application/x-www-form-urlencoded":
        return True
    try:
        unquote_to_bytes(request.body).decode()
    except UnicodeDecodeError:
        return False
    return True
