"""Answers that a browser keeps and asks about: 304 where its page is the one that it would get."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils.cache import get_conditional_response, patch_cache_control


def conditional(
    request: HttpRequest, name: str | None, respond: Callable[[], HttpResponse]
) -> HttpResponseBase:
    """304 or what `respond()` makes, with an ETag that stands for `name` (see `validators`).

    A response gets none where its status is not 200 or it forbids to be stored: it shows what may
    change without the name, such as an answer being written.
    """
    if name is None or request.method not in {"GET", "HEAD"}:
        return respond()
    # Weak: two pages of one name differ in how their token is masked and in the forms' keys.
    etag = f'W/"{name}.{_token(request)}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        response = respond()
    if response.status_code in {200, 304} and "no-store" not in response.get("Cache-Control", ""):
        response.headers["ETag"] = etag
        patch_cache_control(response, private=True, no_cache=True)
    return response


def _token(request: HttpRequest) -> str:
    """A page holds the CSRF token that its cookie had; with another cookie its forms would be refused."""
    if "CSRF_COOKIE" not in request.META:
        get_token(request)
    secret = str(request.META["CSRF_COOKIE"])
    return blake2b(secret.encode(), digest_size=6).hexdigest()
