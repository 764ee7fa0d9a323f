"""Keyset pages: a cursor names the last row shown, so page 1,000 costs what page 1 does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from django.http import Http404

from conversations.models import TAG_LENGTH, Conversation
from conversations.models.conversations import ConversationQuerySet

CONVERSATIONS = 30
SHOWS = ("", "pinned", "archived")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page[T]:
    """Rows to show, and the cursor of the page after them: "" where there is none."""

    rows: Sequence[T]
    next: str = ""


@dataclass(frozen=True)
class Listing:
    """Which conversations: `show` is "" (all but archived), "pinned" or "archived"; `tag` is one or ""."""

    show: str = ""
    tag: str = ""
    cursor: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From a page's address. Raises Http404 for a list that there is not."""
        found = cls(query.get("show", ""), query.get("tag", ""), query.get("conversations", ""))
        if found.show not in SHOWS or "\0" in found.tag or len(found.tag) > TAG_LENGTH:
            raise Http404("There is no such list of conversations.")
        return found

    def of(self, conversations: ConversationQuerySet) -> ConversationQuerySet:
        found = conversations.filter(archived=self.show == "archived")
        if self.show == "pinned":
            found = found.filter(pinned=True)
        return found.filter(tags__contains=[self.tag]) if self.tag else found


def conversations_page(conversations: ConversationQuerySet, cursor: str = "") -> Page[Conversation]:
    """The first in their order, or those after `cursor`. Raises Http404 for a cursor that is none."""
    rows = conversations.as_listed()
    if cursor:
        last_message_at, pk, pinned = _position(cursor)
        rows = rows.after(last_message_at, pk, pinned=pinned)
    found = list(rows[: CONVERSATIONS + 1])
    shown = found[:CONVERSATIONS]
    return Page(shown, _cursor(shown[-1]) if len(found) > CONVERSATIONS else "")


def _cursor(conversation: Conversation) -> str:
    microseconds = (conversation.last_message_at - _EPOCH) // _MICROSECOND
    return f"{microseconds}.{conversation.pk.hex}{'.pinned' if conversation.pinned else ''}"


def _position(cursor: str) -> tuple[datetime, UUID, bool]:
    place, _, pinned = cursor.partition(".pinned")
    microseconds, _, pk = place.partition(".")
    try:
        return _EPOCH + int(microseconds) * _MICROSECOND, UUID(pk), place + pinned != cursor
    except (ValueError, OverflowError) as error:
        raise Http404("That page of conversations does not exist.") from error
