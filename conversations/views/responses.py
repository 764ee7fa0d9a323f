"""What the views answer: whole pages, parts of them, refusals that keep the typed text."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from conversations import reading, streams
from conversations.forms import MessageForm
from conversations.models import TEXT_LENGTH, Message
from conversations.request import AuthenticatedHttpRequest
from conversations.shown import ShownMessage
from conversations.windows import Anchor

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
    page = reading.message_page(request.user, pk, Anchor.read(request.GET))
    context = _frame(request, form) | {
        "conversation": page.conversation,
        "messages_page": page,
        "after": page.stream_start or after,
    }
    return render(request, "conversations/detail.html", context, status=status)


def exchange(message: Message) -> list[ShownMessage]:
    """A user's message and the assistant's after it."""
    places = (message.place, message.place + 1)
    rows = Message.objects.for_page().filter(branch=message.branch_id, place__range=places)
    return [ShownMessage.of(row) for row in rows.order_by("place")]


def _frame(request: AuthenticatedHttpRequest, form: MessageForm) -> dict[str, Any]:
    cursor = request.GET.get("conversations", "")
    return {
        "page": reading.conversation_page(request.user, cursor),
        "form": form,
        "key": uuid.uuid4(),
        "text_length": TEXT_LENGTH,
    }
