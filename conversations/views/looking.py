"""Find words in a conversation, or go to what was written on a day."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from conversations import looking, validators
from conversations.conditional import conditional
from conversations.forms import NOTHING_SINCE, LookForm
from conversations.models import Conversation
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.responses import SeeOther
from conversations.windows import message_id


@require_safe
@signed_in
def look(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """?words= lists the places that hold them; ?day= goes to the first message of that day or later."""
    return conditional(request, validators.part(request, pk), lambda: _look(request, pk))


def _look(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    form = LookForm(request.GET)
    if not form.is_valid():
        return _page(request, conversation, form)
    if day := form.cleaned_data["day"]:
        message = looking.on_day(conversation, day)
        if message is not None:
            return SeeOther(message.get_absolute_url())
        form.add_error("day", NOTHING_SINCE)
    return _page(request, conversation, form)


def _page(
    request: AuthenticatedHttpRequest, conversation: Conversation, form: LookForm
) -> HttpResponse:
    words = "" if form.errors else form.cleaned_data["words"]
    before = message_id(request.GET["before"]) if request.GET.get("before") else None
    found = looking.find(conversation, words, before) if words else []
    count = len({one.message.pk for one in found})
    context = {
        "conversation": conversation,
        "form": form,
        "words": words,
        "found": found,
        "next": found[-1].message.pk if count == looking.FOUND else "",
    }
    status = 422 if form.errors else 200
    response = render(request, "conversations/look.html", context, status=status)
    if conversation.temporary:  # a browser is to keep nothing of it either
        response.headers["Cache-Control"] = "no-store"
    return response
