"""What the views answer: whole pages, parts of them, refusals that keep the typed text."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from conversations import streams
from conversations.forms import MessageForm
from conversations.models import TEXT_LENGTH, Message, Status
from conversations.paging import conversations_page, messages_page
from conversations.request import AuthenticatedHttpRequest

SUGGESTIONS = [
    "What can you do?",
    "What is 17.5% of 240?",
    "What time is it in Tokyo?",
    "Convert 5 miles to km",
]


class SeeOther(HttpResponseRedirect):
    """After a POST: the browser GETs the other page, and a reload repeats nothing."""

    status_code = 303


def fragment(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def refusal(request: HttpRequest, form: MessageForm, status: int) -> HttpResponse:
    """The problems, for the box that still holds the text, and a fresh key for the next try."""
    context = {"form": form, "key": uuid.uuid4()}
    response = fragment(request, "conversations/composer.html#refusal", context, status)
    response["HX-Retarget"] = "#problems"
    response["HX-Reswap"] = "outerHTML"
    return response


def list_page(
    request: AuthenticatedHttpRequest, form: MessageForm, status: int = 200
) -> HttpResponse:
    context = _frame(request, form) | {"suggestions": SUGGESTIONS}
    return render(request, "conversations/list.html", context, status=status)


def conversation_page(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, form: MessageForm, status: int = 200
) -> HttpResponse:
    # Read before the database: what happens in between then comes as an event.
    after = streams.last_event_id(pk)
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    before = request.GET.get("before", "")
    page = messages_page(conversation.messages, before)
    context = _frame(request, form) | {
        "conversation": conversation,
        "messages_page": page,
        "before": before,
        "after": stream_start(page.rows) or after,
    }
    return render(request, "conversations/detail.html", context, status=status)


def stream_start(messages: Any) -> str:
    """Where the events of a reply being written begin: a page that opens late sees all of them."""
    for message in messages:
        reply = getattr(message, "reply", None)
        if reply and reply.status == Status.RUNNING:
            return str(reply.stream_start)
    return ""


def exchange(message: Message) -> list[Message]:
    """A user's message and the assistant's after it."""
    after = Message.objects.for_page().filter(
        conversation=message.conversation_id, pk__gte=message.pk
    )
    return list(after.order_by("pk")[:2])


def _frame(request: AuthenticatedHttpRequest, form: MessageForm) -> dict[str, Any]:
    cursor = request.GET.get("conversations", "")
    return {
        "page": conversations_page(request.user.conversations.all(), cursor),
        "form": form,
        "key": uuid.uuid4(),
        "text_length": TEXT_LENGTH,
    }
