"""Keyset pages: a cursor names the last row shown, so page 1,000 costs what page 1 does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.http import Http404

from conversations.models import Conversation, Message
from conversations.models.conversations import ConversationQuerySet
from conversations.models.messages import MessageQuerySet

CONVERSATIONS = 30
MESSAGES = 50

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page[T]:
    """Rows to show, and the cursor of the page after them: "" where there is none."""

    rows: Sequence[T]
    next: str = ""


def conversations_page(conversations: ConversationQuerySet, cursor: str = "") -> Page[Conversation]:
    """The newest first, or those after `cursor`. Raises Http404 for a cursor that is none."""
    rows = conversations.newest_first()
    if cursor:
        rows = rows.before(*_position(cursor))
    found = list(rows[: CONVERSATIONS + 1])
    shown = found[:CONVERSATIONS]
    return Page(shown, _cursor(shown[-1]) if len(found) > CONVERSATIONS else "")


def messages_page(messages: MessageQuerySet, before: str = "") -> Page[Message]:
    """The newest, or those just before message `before`, oldest first. Raises Http404."""
    rows = messages.for_page().newest_first()
    if before:
        rows = rows.before(message_id(before))
    found = list(rows[: MESSAGES + 1])
    shown = found[:MESSAGES][::-1]
    return Page(shown, str(shown[0].pk) if len(found) > MESSAGES else "")


def message_id(text: str) -> int:
    """Raises Http404 where `text` is not the number of a message."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Http404("That is not the number of a message.")
    return int(text)


def _cursor(conversation: Conversation) -> str:
    microseconds = (conversation.last_message_at - _EPOCH) // _MICROSECOND
    return f"{microseconds}.{conversation.pk.hex}"


def _position(cursor: str) -> tuple[datetime, UUID]:
    microseconds, _, pk = cursor.partition(".")
    try:
        return _EPOCH + int(microseconds) * _MICROSECOND, UUID(pk)
    except (ValueError, OverflowError) as error:
        raise Http404("That page of conversations does not exist.") from error
