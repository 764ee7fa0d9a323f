"""Keyset pages: a cursor names the last row shown, so page 1,000 costs what page 1 does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.http import Http404

from conversations.models import Conversation
from conversations.models.conversations import ConversationQuerySet

CONVERSATIONS = 30

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


def _cursor(conversation: Conversation) -> str:
    microseconds = (conversation.last_message_at - _EPOCH) // _MICROSECOND
    return f"{microseconds}.{conversation.pk.hex}"


def _position(cursor: str) -> tuple[datetime, UUID]:
    microseconds, _, pk = cursor.partition(".")
    try:
        return _EPOCH + int(microseconds) * _MICROSECOND, UUID(pk)
    except (ValueError, OverflowError) as error:
        raise Http404("That page of conversations does not exist.") from error
