"""Messages of a conversation: sent, and fetched in parts by the page's scripts."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_safe

from conversations import quotas, sending, validators
from conversations.attachments import Refused
from conversations.choice_forms import StartForm
from conversations.conditional import conditional
from conversations.forms import DELETED, IN_PROGRESS, KEY_REUSED, NextMessageForm
from conversations.models import Branch, Conversation
from conversations.request import (
    AuthenticatedHttpRequest,
    signed_in,
    wants_fragment,
)
from conversations.views.responses import (
    SeeOther,
    conversation_page,
    exchange,
    fragment,
    kept_part,
    list_page,
    message_part,
    over_quota,
    refusal,
    rows_context,
)
from conversations.views.uploads import received
from conversations.windows import Anchor


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def messages(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """POST sends; GET has a page's worth: ?before= or ?after= a message, or ?from= a place on."""
    if request.method == "POST":
        return _send(request, get_object_or_404(request.user.conversations, pk=pk))
    name = validators.part(request, pk)
    return conditional(request, name, lambda: _part(request, name, pk))


def _part(request: AuthenticatedHttpRequest, name: str | None, pk: uuid.UUID) -> HttpResponse:
    anchor = Anchor.read(request.GET)
    part = "later" if anchor.kind in {"after", "from"} else "earlier"
    return kept_part(request, name, pk, anchor, part)


def _send(request: AuthenticatedHttpRequest, conversation: Conversation) -> HttpResponse:
    form = received(request, NextMessageForm)
    if not form.is_valid():
        return _not_sent(request, conversation, form, 422)
    try:
        message = sending.send(conversation, **form.cleaned_data)
    except (Conversation.DoesNotExist, Branch.DoesNotExist):
        form.add_error("text", DELETED)
        return (
            refusal(request, form, 404) if wants_fragment(request) else _as_a_new_one(request, form)
        )
    except quotas.Exceeded as error:
        return over_quota(request, form, error, conversation.pk)
    except (sending.KeyReused, sending.ReplyInProgress, Refused) as problem:
        return _not_sent(request, conversation, form, _add(problem, form))
    if not wants_fragment(request):
        return SeeOther(f"{conversation.get_absolute_url()}#m{message.pk}")
    context = rows_context(conversation, exchange(message)) | {"key": uuid.uuid4()}
    return fragment(request, "conversations/messages.html#sent", context, 201)


def _add(problem: Exception, form: NextMessageForm) -> int:
    """Puts the problem into words for the form. Returns the status of the answer."""
    match problem:
        case Refused():
            form.add_error("attached", problem.words)
        case sending.ReplyInProgress():
            form.add_error("text", IN_PROGRESS)
            return 409
        case _:
            form.add_error("text", KEY_REUSED)
    return 422


def _not_sent(
    request: AuthenticatedHttpRequest,
    conversation: Conversation,
    form: NextMessageForm,
    status: int,
) -> HttpResponse:
    if wants_fragment(request):
        return refusal(request, form, status)
    return conversation_page(request, conversation.pk, form, status)


def _as_a_new_one(request: AuthenticatedHttpRequest, form: NextMessageForm) -> HttpResponse:
    """The text in the box that begins a conversation, since its own is gone."""
    new = StartForm(request.POST, preferences=request.preferences)
    new.add_error("text", form.errors["text"].as_data())
    return list_page(request, new, 404)


@require_safe
@signed_in
def message(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponseBase:
    """One message as it stands now."""
    name = validators.part(request, pk)
    return conditional(request, name, lambda: _message(request, pk, number))


def _message(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    return message_part(request, get_object_or_404(conversation.messages, pk=number))
