"""The reply behind an assistant's message: stopped, or asked for again."""

from __future__ import annotations

import uuid

from django.contrib.messages import warning
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from conversations import sending, windows
from conversations.forms import RETRY_IN_PROGRESS
from conversations.models import Conversation, Message
from conversations.request import AuthenticatedHttpRequest, signed_in, wants_fragment
from conversations.shown import ShownMessage
from conversations.views.responses import SeeOther, fragment


@require_POST
@signed_in
def stop(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    message = _answer(request, pk, number)
    sending.stop(message.reply)
    return _now(request, message)


@require_POST
@signed_in
def retry(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    message = _answer(request, pk, number)
    try:
        sending.retry(message.reply)
    except Conversation.DoesNotExist:
        raise Http404("This conversation was deleted meanwhile.") from None
    except sending.ReplyInProgress:
        if wants_fragment(request):
            return HttpResponse(RETRY_IN_PROGRESS, status=409, content_type="text/plain")
        warning(request, RETRY_IN_PROGRESS)
    return _now(request, message)


def _answer(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> Message:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    answers = conversation.messages.filter(reply__isnull=False)
    return get_object_or_404(answers.select_related("reply", "conversation"), pk=number)


def _now(request: AuthenticatedHttpRequest, message: Message) -> HttpResponse:
    if not wants_fragment(request):
        return SeeOther(message.get_absolute_url())
    row = message.conversation.messages.for_page().get(pk=message.pk)
    context = {
        "conversation": message.conversation,
        "message": ShownMessage.of(row, windows.versions(row)),
    }
    return fragment(request, "conversations/messages.html#message", context)


@require_safe
def events(_request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answers where the pages run without chatsite.asgi: scripts then ask for the message instead."""
    explanation = f"Events of {pk} are served by chatsite.asgi, which does not run here.\n"
    return HttpResponse(explanation, status=501, content_type="text/plain; charset=utf-8")
