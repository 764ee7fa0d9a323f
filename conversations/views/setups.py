"""How a conversation is set up: its model, its instructions, whether answers come from the cache."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from conversations.ai import offers
from conversations.choice_forms import SetupForm
from conversations.models import SYSTEM_PROMPT_LENGTH, Conversation
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.responses import SeeOther

FIELDS = ("chat_model", "system_prompt", "reuse_answers")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def setup(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    form = SetupForm(
        request.POST if request.method == "POST" else None,
        initial={name: getattr(conversation, name) for name in FIELDS},
    )
    if form.is_valid():
        for name in FIELDS:
            setattr(conversation, name, form.cleaned_data[name])
        conversation.save(update_fields=FIELDS)
        return SeeOther(conversation.get_absolute_url())
    return _page(request, conversation, form)


def _page(
    request: AuthenticatedHttpRequest, conversation: Conversation, form: SetupForm
) -> HttpResponse:
    wanted = conversation.chat_model
    context = {
        "conversation": conversation,
        "form": form,
        "offers": offers.offers(),
        "offer": offers.chosen(wanted),
        "gone": wanted if wanted and not offers.find(wanted) else "",
        "system_prompt_length": SYSTEM_PROMPT_LENGTH,
        "temporary_hours": settings.TEMPORARY_HOURS,
    }
    status = 422 if form.is_bound else 200
    return render(request, "conversations/setup.html", context, status=status)
