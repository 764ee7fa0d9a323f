"""What the views answer: whole pages, parts of them, refusals that keep the typed text."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from conversations import reading, rendering, streams, windows
from conversations.forms import MessageForm
from conversations.models import TEXT_LENGTH, Message, Reply, Status
from conversations.paging import Listing
from conversations.reading import MessagePage
from conversations.request import AuthenticatedHttpRequest, wants_fragment
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
        **rows_context(page.conversation, page.rows),
        "messages_page": page,
        "after": page.stream_start or after,
    }
    return render(request, "conversations/detail.html", context, status=status)


def messages_from(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, place: int, status: int = 200
) -> HttpResponse:
    """The messages that the conversation shows now from that place on."""
    page = reading.message_page(request.user, pk, Anchor("from", place))
    return page_part(request, page, "later", status)


def page_part(
    request: HttpRequest, page: MessagePage, part: str, status: int = 200
) -> HttpResponse:
    """The page's messages with a link to more of them: `part` is "earlier" or "later"."""
    context = {"messages_page": page} | rows_context(page.conversation, page.rows)
    return fragment(request, f"conversations/messages.html#{part}", context, status)


def rows_context(conversation: object, rows: Sequence[ShownMessage]) -> dict[str, Any]:
    """What the messages' template needs. Places in the queue are never cached: they move by themselves."""
    waiting = [row.pk for row in rows if row.reply and row.reply.status == Status.PENDING]
    return {
        "conversation": conversation,
        "rows": rows,
        "waiting": {pk: Reply.objects.ahead_of(pk) for pk in waiting},
    }


def message_now(request: AuthenticatedHttpRequest, message: Message) -> HttpResponse:
    """One message as it stands now; without scripts, the place in the conversation where it does."""
    if not wants_fragment(request):
        return SeeOther(message.get_absolute_url())
    return message_part(request, message)


def message_part(request: AuthenticatedHttpRequest, message: Message) -> HttpResponse:
    """One message as it stands now."""
    found = message.conversation.messages.for_page().filter(pk=message.pk)
    (row,) = rendering.current(found)
    shown = ShownMessage.of(row, windows.versions(row))
    context = {"message": shown} | rows_context(message.conversation, [shown])
    return fragment(request, "conversations/messages.html#message", context)


def exchange(message: Message) -> list[ShownMessage]:
    """A user's message and the assistant's after it."""
    places = (message.place, message.place + 1)
    rows = Message.objects.for_page().filter(branch=message.branch_id, place__range=places)
    return [ShownMessage.of(row) for row in rows.order_by("place")]


def _frame(request: AuthenticatedHttpRequest, form: MessageForm) -> dict[str, Any]:
    return {
        "page": reading.conversation_page(request.user, Listing.read(request.GET)),
        "form": form,
        "key": uuid.uuid4(),
        "text_length": TEXT_LENGTH,
    }
