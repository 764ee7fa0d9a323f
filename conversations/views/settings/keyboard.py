"""The keys of the pages: a list of them, and whether they are on. Kept by the browser, as keyboards are."""

from __future__ import annotations

from django.contrib.messages import success
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations import shortcuts
from conversations.request import wants_fragment
from conversations.views.responses import SeeOther, fragment
from conversations.views.settings.appearance import YEAR
from conversations.views.settings.pages import section_page


@require_http_methods(["GET", "HEAD", "POST"])
def keyboard(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _saved(request, on="on" in request.POST)
    context = {"groups": shortcuts.GROUPS, "on": request.COOKIES.get(shortcuts.COOKIE) != "off"}
    if wants_fragment(request):
        return fragment(request, "settings/keyboard.html#dialog", context)
    return section_page(request, "settings/keyboard.html", context)


def _saved(request: HttpRequest, *, on: bool) -> HttpResponse:
    response = SeeOther(reverse("conversations:settings_keyboard"))
    if on:
        response.delete_cookie(shortcuts.COOKIE, samesite="Lax")
        success(request, _("The keys are on."))
    else:
        response.set_cookie(shortcuts.COOKIE, "off", max_age=YEAR, samesite="Lax")
        success(request, _("The keys are off."))
    return response
