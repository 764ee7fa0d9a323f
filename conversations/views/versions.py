"""Versions of a message: an edited question, and which of them the conversation shows."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from conversations import quota_words, quotas, sending, versions
from conversations.attachments import Refused
from conversations.forms import DELETED, KEY_REUSED, MessageForm
from conversations.models import TEXT_LENGTH, Conversation, Message, Role
from conversations.request import (
    AuthenticatedHttpRequest,
    is_valid_utf8,
    signed_in,
    wants_fragment,
)
from conversations.views.responses import SeeOther, fragment, messages_from, retry_after


@require_POST
@signed_in
def version(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, branch: int, place: int
) -> HttpResponse:
    """Shows the version at `place` that is in `branch`, in every tab."""
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    try:
        message = versions.show(conversation, branch, place)
    except (Message.DoesNotExist, Conversation.DoesNotExist):
        raise Http404("There is no such version.") from None
    if wants_fragment(request):
        return messages_from(request, pk, place)
    return SeeOther(message.get_absolute_url())


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """A user's message in a box; what is sent becomes another version of it."""
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    own = conversation.messages.filter(role=Role.USER).select_related("branch", "conversation")
    message = get_object_or_404(own, pk=number)
    if request.method != "POST":
        return _form(request, message, MessageForm(initial={"text": message.text}))
    form = MessageForm(request.POST, valid_utf8=is_valid_utf8(request))
    if form.is_valid():
        try:
            edited = sending.edit(message, **form.cleaned_data)
        except (sending.KeyReused, Refused, Conversation.DoesNotExist) as problem:
            form.add_error("text", _words(problem))
        except quotas.Exceeded as error:
            form.add_error("text", quota_words.refusal(error))
            return retry_after(_form(request, message, form, 429), error)
        else:
            if wants_fragment(request):
                return messages_from(request, pk, edited.place, 201)
            return SeeOther(f"{conversation.get_absolute_url()}#m{edited.pk}")
    return _form(request, message, form, 422)


def _words(problem: Exception) -> str:
    match problem:
        case Refused():
            return problem.words
        case sending.KeyReused():
            return str(KEY_REUSED)
        case _:
            return str(DELETED)


def _form(
    request: AuthenticatedHttpRequest, message: Message, form: MessageForm, status: int = 200
) -> HttpResponse:
    context = {
        "conversation": message.conversation,
        "message": message,
        "form": form,
        "text": form.typed_text if form.is_bound else message.text,
        "key": uuid.uuid4(),
        "text_length": TEXT_LENGTH,
    }
    if wants_fragment(request):
        return fragment(request, "conversations/edit.html#form", context, status)
    return render(request, "conversations/edit.html", context, status=status)
