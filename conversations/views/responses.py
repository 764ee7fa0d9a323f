"""What the views answer: whole pages, parts of them, refusals that keep the typed text."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.messages import warning
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from conversations import (
    prepared,
    quota_words,
    quotas,
    reading,
    rendering,
    settled,
    streams,
    windows,
)
from conversations.ai import offers
from conversations.choice_forms import StartForm
from conversations.forms import MessageForm
from conversations.models import SYSTEM_PROMPT_LENGTH, TEXT_LENGTH, Message, Reply, Status
from conversations.paging import Listing
from conversations.reading import MessagePage
from conversations.request import AuthenticatedHttpRequest, wants_fragment
from conversations.shown import ShownMessage
from conversations.views import uploads
from conversations.windows import Anchor
from performance.cache import conversation_cache

Context = dict[str, Any]

SUGGESTIONS = [  # as the Guide understands them, so in English
    "What can you do?",
    "What is 17.5% of 240?",
    "What time is it in Tokyo?",
    "Convert 5 miles to km",
]


class SeeOther(HttpResponseRedirect):
    """After a POST: the browser GETs the other page, and a reload repeats nothing."""

    status_code = 303


def fragment(
    request: HttpRequest, template: str, context: Context, status: int = 200
) -> HttpResponse:
    """A part of a page, which the browser does not keep."""
    response = render(request, template, context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def refusal(request: HttpRequest, form: MessageForm, status: int) -> HttpResponse:
    """The problems, for the box that still holds the text, and a fresh key for the next try."""
    context = {"form": form, "key": uuid.uuid4()}
    response = fragment(request, "conversations/composer.html#refusal", context, status)
    response["HX-Retarget"] = "#problems"
    response["HX-Reswap"] = "outerHTML"
    return response


def over_quota(
    request: AuthenticatedHttpRequest,
    form: MessageForm,
    error: quotas.Exceeded,
    pk: uuid.UUID | None = None,
) -> HttpResponse:
    """429, with which quota it is and when it begins anew; the typed text stays in its box."""
    form.add_error("text", quota_words.refusal(error))
    if wants_fragment(request):
        return retry_after(refusal(request, form, 429), error)
    page = conversation_page(request, pk, form, 429) if pk else list_page(request, form, 429)
    return retry_after(page, error)


def out_of_quota(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, error: quotas.Exceeded
) -> HttpResponse:
    """429 where a button was pressed, and nothing typed."""
    words = quota_words.refusal(error)
    if wants_fragment(request):
        return retry_after(HttpResponse(words, status=429, content_type="text/plain"), error)
    warning(request, words)
    return retry_after(conversation_page(request, pk, MessageForm(), 429), error)


def retry_after(response: HttpResponse, error: quotas.Exceeded) -> HttpResponse:
    response["Retry-After"] = str(error.seconds)
    return response


def list_page(
    request: AuthenticatedHttpRequest, form: MessageForm, status: int = 200
) -> HttpResponse:
    """With what was typed, which was refused."""
    context = _list_context(request, form) | {"key": uuid.uuid4()}
    return render(request, "conversations/list.html", context, status=status)


def kept_list_page(request: AuthenticatedHttpRequest, name: str | None) -> HttpResponse:
    """With an empty box; `name` is its validator."""

    def read() -> tuple[Context, bool]:
        return _list_context(request, StartForm(preferences=request.preferences)), True

    own = {"key": str(uuid.uuid4())}
    return prepared.page(request, name, "conversations/list.html", read, own)


def conversation_page(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, form: MessageForm, status: int = 200
) -> HttpResponse:
    """With what was typed, which was refused."""
    own = _following(pk)
    context = own | _conversation_context(request, pk, form, own["after"])[0]
    return render(request, "conversations/detail.html", context, status=status)


def kept_conversation_page(
    request: AuthenticatedHttpRequest, name: str | None, pk: uuid.UUID
) -> HttpResponse:
    """With an empty box; `name` is its validator."""

    own = _following(pk)

    def read() -> tuple[Context, bool]:
        return _conversation_context(request, pk, MessageForm(), own["after"])

    return prepared.page(request, name, "conversations/detail.html", read, own)


def _following(pk: uuid.UUID) -> dict[str, str]:
    """After which event the page follows, and its form's key.

    Asked before the page is read: what happens in between then comes as an event. And what that event
    tells of, another process may have written this moment: it will not be told again.
    """
    after = streams.last_event_id(pk)
    conversation_cache.catch_up()
    return {"after": after, "key": str(uuid.uuid4())}


def _from_the_first_words(page: MessagePage, after: str) -> str:
    """`after`, or an earlier event: before all that answers have said which the page may not have."""
    if page.unplaced:
        after = streams.begun_at(page.conversation.pk, page.unplaced, after)
    return min(filter(None, (after, page.stream_start)), key=streams.order, default="")


def message_page(request: AuthenticatedHttpRequest, pk: uuid.UUID, anchor: Anchor) -> MessagePage:
    """Through the cache, unless its user wants none."""
    return reading.message_page(request.user, pk, anchor, cached=request.preferences.use_caches)


def messages_from(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, place: int, status: int = 200
) -> HttpResponse:
    """The messages that the conversation shows now from that place on."""
    response = kept_part(request, None, pk, Anchor("from", place), "later")
    response.status_code = status
    return response


def kept_part(
    request: AuthenticatedHttpRequest, name: str | None, pk: uuid.UUID, anchor: Anchor, part: str
) -> HttpResponse:
    """Messages with a link to more of them; `part` is "earlier" or "later", `name` its validator."""

    def read() -> tuple[Context, bool]:
        page = message_page(request, pk, anchor)
        context = {"messages_page": page} | rows_context(page.conversation, page.rows)
        return context, page.is_settled

    template = f"conversations/messages.html#{part}"
    return prepared.page(request, name, template, read, conversation_id=pk)


def rows_context(conversation: object, rows: Sequence[ShownMessage]) -> Context:
    """What the messages' template needs. Places in the queue are never cached: they move by themselves."""
    waiting = [row.pk for row in rows if row.reply and row.reply.status == Status.PENDING]
    return {
        "conversation": conversation,
        "rows": rows,
        "waiting": {pk: Reply.objects.ahead_of(pk) for pk in waiting},
        "several_models": settled.several_models(),
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
    kept = shown.is_settled and not message.conversation.temporary
    answer = render if kept else fragment
    return answer(request, "conversations/messages.html#message", context)


def exchange(message: Message) -> list[ShownMessage]:
    """A user's message and the assistant's after it."""
    places = (message.place, message.place + 1)
    found = Message.objects.for_page().filter(branch=message.branch_id, place__range=places)
    rows = found.prefetch_related(
        None
    )  # no tool has run before its first attempt, which has hardly begun
    return [ShownMessage.of(row) for row in rows.order_by("place")]


def _list_context(request: AuthenticatedHttpRequest, form: MessageForm) -> Context:
    return _frame(request, form) | {
        "suggestions": SUGGESTIONS,
        "guide_answers": str(settings.CHAT_BACKENDS["default"]["BACKEND"]).endswith(
            ".GuideBackend"
        ),
        "several_models": settled.several_models(),
        "temporary_hours": settings.TEMPORARY_HOURS,
        "system_prompt_length": SYSTEM_PROMPT_LENGTH,
    }


def _conversation_context(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, form: MessageForm, after: str
) -> tuple[Context, bool]:
    """And whether all of it stands still until something is written.

    `after` is the newest event that had been before; an answer being written is followed from its first.
    """
    page = message_page(request, pk, Anchor.read(request.GET))
    context = _frame(request, form) | {
        **rows_context(page.conversation, page.rows),
        "messages_page": page,
        "offer": offers.chosen(page.conversation.chat_model),
    }
    if not page.is_settled:
        context["after"] = _from_the_first_words(page, after)
    return context, page.is_settled


def _frame(request: AuthenticatedHttpRequest, form: MessageForm) -> Context:
    return {
        "page": reading.conversation_page(
            request.user, Listing.read(request.GET), cached=request.preferences.use_caches
        ),
        "form": form,
        "text_length": TEXT_LENGTH,
        "attached": uploads.attached(request.user, form),
    }
