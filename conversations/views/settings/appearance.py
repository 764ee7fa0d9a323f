"""Colours: kept with the user, and in a cookie for the pages before a log-in."""

from __future__ import annotations

from django.contrib.messages import success
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.forms import AppearanceForm
from conversations.models import Preferences, Theme
from conversations.request import ChosenHttpRequest, wants_fragment
from conversations.views.responses import SeeOther
from conversations.views.settings.pages import section_page

YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "HEAD", "POST"])
def appearance(request: ChosenHttpRequest) -> HttpResponse:
    form = AppearanceForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        chosen = form.data.get("theme", request.preferences.theme)
        context = {"form": form, "themes": Theme.choices, "chosen": chosen}
        status = 422 if form.is_bound else 200
        return section_page(request, "settings/appearance.html", context, status)
    if request.user.is_authenticated:
        Preferences.objects.change(request.user, theme=form.cleaned_data["theme"])
    response = _saved(request)
    _remember(response, form.cleaned_data["theme"])
    return response


def _saved(request: ChosenHttpRequest) -> HttpResponse:
    """The page's own scripts change the colours by themselves."""
    if wants_fragment(request):
        return HttpResponse(status=204)
    success(request, _("Your colours are saved."))
    return SeeOther(reverse("conversations:settings_appearance"))


def _remember(response: HttpResponse, theme: str) -> None:
    if theme:
        response.set_cookie("theme", theme, max_age=YEAR, samesite="Lax")
    else:
        response.delete_cookie("theme", samesite="Lax")
