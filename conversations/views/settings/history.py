"""Whether conversations are kept, and whether caches are used."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages import success
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.choice_forms import HistoryForm
from conversations.models import Preferences
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.responses import SeeOther
from conversations.views.settings.pages import section_page
from performance.cache import ai_response_cache, conversation_cache


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def history(request: AuthenticatedHttpRequest) -> HttpResponse:
    kept = request.preferences
    if request.method == "POST":
        form = HistoryForm(request.POST)
        if form.is_valid():
            _save(request, form)
            return SeeOther(reverse("conversations:settings_history"))
    context = {"preferences": kept, "hours": settings.TEMPORARY_HOURS}
    return section_page(request, "settings/history.html", context)


def _save(request: AuthenticatedHttpRequest, form: HistoryForm) -> None:
    Preferences.objects.change(request.user, **form.cleaned_data)
    if not form.cleaned_data["use_caches"]:
        # What was stored before the choice must not come back.
        conversation_cache.forget(request.user.pk)
        ai_response_cache.clear(user=request.user.pk)
    success(request, _("Saved."))
