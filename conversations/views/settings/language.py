"""The language of the pages: kept with the user, and in a cookie for the pages before a log-in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages import success
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.forms import LanguageForm, languages
from conversations.models import Preferences
from conversations.request import ChosenHttpRequest
from conversations.views.responses import SeeOther
from conversations.views.settings.pages import section_page


@require_http_methods(["GET", "HEAD", "POST"])
def language(request: ChosenHttpRequest) -> HttpResponse:
    """?next= is a page of ours to go back to."""
    form = LanguageForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        chosen = form.data.get("language", _chosen(request))
        context = {"form": form, "languages": languages(), "chosen": chosen, "next": _next(request)}
        status = 422 if form.is_bound else 200
        return section_page(request, "settings/language.html", context, status)
    wanted = form.cleaned_data["language"]
    if request.user.is_authenticated:
        Preferences.objects.change(request.user, language=wanted)
    response = SeeOther(_next(request) or reverse("conversations:settings_language"))
    _remember(request, response, wanted)
    with override(wanted or get_language_from_request(request)):
        success(request, _("Your language is saved."))
    return response


def _chosen(request: ChosenHttpRequest) -> str:
    if request.user.is_authenticated:
        return request.preferences.language
    return request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")


def _next(request: HttpRequest) -> str:
    """ "" where the address is not one of this site."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if ours else ""


def _remember(request: HttpRequest, response: HttpResponse, language: str) -> None:
    name = settings.LANGUAGE_COOKIE_NAME
    request.COOKIES.pop(name, None)  # what was chosen before counts no more
    if not language:
        response.delete_cookie(name, samesite="Lax")
        return
    response.set_cookie(
        name,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
