"""The time zone: chosen here, or told by the browser at its first visit."""

from __future__ import annotations

from functools import cache

from django.contrib.messages import success
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations import zones
from conversations.forms import TimeForm
from conversations.models import Preferences
from conversations.request import AuthenticatedHttpRequest, signed_in, wants_fragment
from conversations.views.responses import SeeOther
from conversations.views.settings.pages import section_page


@cache
def _options() -> SafeString:
    """Of all zones: some four hundred, which no visitor changes."""
    return format_html_join(
        "",
        '<optgroup label="{}">{}</optgroup>',
        (
            (region, format_html_join("", "<option>{}</option>", ((name,) for name in names)))
            for region, names in zones.by_region()
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def time(request: AuthenticatedHttpRequest) -> HttpResponse:
    """A page's script posts what the browser says, which counts where nothing was chosen."""
    form = TimeForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        chosen = form.data.get("time_zone", request.preferences.time_zone)
        context = {"form": form, "zones": _options(), "chosen": chosen}
        return section_page(request, "settings/time.html", context, 422 if form.is_bound else 200)
    wanted = form.cleaned_data["time_zone"]
    if not (wants_fragment(request) and request.preferences.time_zone):
        Preferences.objects.change(request.user, time_zone=wanted)
    if wants_fragment(request):
        return HttpResponse(status=204)
    success(request, _("Your time zone is saved."))
    return SeeOther(reverse("conversations:settings_time"))
