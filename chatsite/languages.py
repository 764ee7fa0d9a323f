"""The language of a page: the one that the visitor chose, else the first that their browser asks for.

It stands right below whatever knows the visitor. The staff's pages are English for everybody: they
name metrics, queries and settings, which have no other name.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

ENGLISH = "en"
STAFF = "/admin/"
SHARED = "/s/"  # the same for everybody: nothing is asked of who is signed in


class LanguageMiddleware:
    """Django's LocaleMiddleware without addresses by language, which this site does not have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # It stays active after the answer, as Django's does: what is streamed is written later.
        translation.activate(_asked(request))
        # Only now, so that where the preferences cannot be read the page that says so has a language.
        if chosen := _chosen(request):
            translation.activate(chosen)
        language = request.LANGUAGE_CODE = translation.get_language()
        response = self._get_response(request)
        depends = (
            ["Accept-Language"]
            if request.path.startswith(SHARED)
            else ["Accept-Language", "Cookie"]
        )
        patch_vary_headers(response, depends)
        response.headers.setdefault("Content-Language", language)
        return response


def _asked(request: HttpRequest) -> str:
    """By the cookie, or else by the browser; by the browser alone on what is shared."""
    if request.path.startswith(STAFF):
        return ENGLISH
    if request.path.startswith(SHARED):
        plain = HttpRequest()
        plain.META = request.META
        return translation.get_language_from_request(plain)
    return translation.get_language_from_request(request)


def _chosen(request: HttpRequest) -> str:
    """By the user who is signed in; "" where there is none, or no choice that the site still offers."""
    if request.path.startswith((STAFF, SHARED)):
        return ""
    chosen: str = request.preferences.language  # type: ignore[attr-defined]
    return chosen if chosen in dict(settings.LANGUAGES) else ""


def offered(codes: list[str]) -> list[tuple[str, str]]:
    """LANGUAGES of these codes. Raises ImproperlyConfigured for one that Django does not know."""
    unknown = [code for code in codes if "name" not in LANG_INFO.get(code, {})]
    if unknown:
        raise ImproperlyConfigured(
            f"SITE_LANGUAGES has {', '.join(unknown)}: give codes that Django knows, such as en,de."
        )
    return [(code, LANG_INFO[code]["name"]) for code in codes]
