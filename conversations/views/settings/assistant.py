"""Instructions for every answer, and the model of new conversations."""

from __future__ import annotations

from django.contrib.messages import success
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.ai import offers
from conversations.choice_forms import AssistantForm
from conversations.models import SYSTEM_PROMPT_LENGTH, Preferences
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.responses import SeeOther
from conversations.views.settings.pages import section_page


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def assistant(request: AuthenticatedHttpRequest) -> HttpResponse:
    kept = request.preferences
    form = AssistantForm(
        request.POST if request.method == "POST" else None,
        initial={"chat_model": kept.chat_model, "system_prompt": kept.system_prompt},
    )
    if form.is_valid():
        Preferences.objects.change(request.user, **form.cleaned_data)
        success(request, _("Saved. Your instructions hold from the next answer on."))
        return SeeOther(reverse("conversations:settings_assistant"))
    context = {
        "form": form,
        "offers": offers.offers(),
        "offer": offers.chosen(kept.chat_model),
        "gone": kept.chat_model if kept.chat_model and not offers.find(kept.chat_model) else "",
        "system_prompt_length": SYSTEM_PROMPT_LENGTH,
    }
    status = 422 if form.is_bound else 200
    return section_page(request, "settings/assistant.html", context, status)
