"""The tool `search_conversations`: the user's own messages, by their words and by their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import numpy as np
from asgiref.sync import sync_to_async
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F
from msgspec import Meta

from conversations.ai.embeddings import embed
from conversations.models import Message, Role
from conversations.tools.base import ToolContext, tool
from conversations.tools.matching import Words, subject_words

Query = Annotated[
    str,
    Meta(description="What the messages are about, in a few words.", min_length=1, max_length=300),
]
MATCH = 0.5
BY_WORDS = 40
NEWEST = 200
COMPARED = 30  # word by word
SHOWN = 3
EXCERPT = 400  # characters


@tool
async def search_conversations(query: Query, context: ToolContext) -> dict[str, Any]:
    """Finds what the user wrote earlier, in all of their own conversations.

    `is_match` is False where a message is only the nearest one.
    """
    return {"messages": await sync_to_async(_search)(query, context)}


def _search(query: str, context: ToolContext) -> list[dict[str, Any]]:
    messages = _candidates(query, context)
    if not messages:
        return []
    likeness = _likeness(query, messages)
    nearest = [messages[at] for at in np.argsort(-likeness)[:COMPARED]]
    met, _ = Words([message.text for message in nearest]).met(query)
    scores = (np.sort(likeness)[::-1][:COMPARED] + met) / 2
    best = np.argsort(-scores)[:SHOWN]
    return [_found(nearest[at], query, float(scores[at])) for at in best]


def _candidates(query: str, context: ToolContext) -> list[Message]:
    """Messages with one of the words, and the newest ones; not the question itself, nor questions."""
    own = Message.objects.filter(
        conversation__user_id=context.user_id, conversation__temporary=False, role=Role.USER
    )
    own = own.select_related("conversation").exclude(text__endswith="?")
    asked = _question_id(context)
    if asked is not None:
        own = own.exclude(pk=asked)
    found = {message.pk: message for message in own.order_by("-pk")[:NEWEST]}
    words = " or ".join(subject_words(query))
    if words:
        wanted = SearchQuery(words, config="english", search_type="websearch")
        ranked = own.filter(search_entry__user=context.user_id, search_entry__document=wanted)
        rank = SearchRank(F("search_entry__document"), wanted)
        ranked = ranked.annotate(rank=rank).order_by("-rank")[:BY_WORDS]
        found |= {message.pk: message for message in ranked}
    return list(found.values())


def _question_id(context: ToolContext) -> int | None:
    """The newest message of the conversation that asks: what is searched for is not an answer."""
    try:
        conversation = UUID(context.conversation_id)
    except ValueError:
        return None
    mine = Message.objects.filter(
        conversation=conversation, conversation__user_id=context.user_id, role=Role.USER
    )
    return mine.order_by("-pk").values_list("pk", flat=True).first()


def _likeness(query: str, messages: list[Message]) -> Any:
    """Of each message its most alike sentence."""
    sentences = [
        (number, text) for number, one in enumerate(messages) for text in _sentences(one.text)
    ]
    likeness = np.zeros(len(messages), np.float32)
    alike = embed([text for _, text in sentences]) @ embed([query])[0]
    np.maximum.at(likeness, [number for number, _ in sentences], alike)
    return likeness


def _sentences(text: str) -> Iterable[str]:
    return re.split(r"(?<=[.!?])\s+|\n+", text[:4000])[:100]


def _found(message: Message, query: str, score: float) -> dict[str, Any]:
    return {
        "url": message.get_absolute_url(),
        "conversation": message.conversation.name,
        "date": message.created_at.date().isoformat(),
        "text": _excerpt(message.text, query),
        "score": round(score, 3),
        "is_match": score >= MATCH,
    }


def _excerpt(text: str, query: str) -> str:
    """All of a short message; of a long one the part around its most alike sentence."""
    if len(text) <= EXCERPT:
        return text
    sentences = list(_sentences(text))
    nearest = sentences[int(np.argmax(embed(sentences) @ embed([query])[0]))]
    start = max(0, text.find(nearest) - EXCERPT // 4)
    return ("…" if start else "") + text[start : start + EXCERPT].strip() + "…"
