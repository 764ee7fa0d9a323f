"""What pages read: through the cache, one user's own, forgotten when it changes.

Ownership is settled by the load, which goes through the user; keys hold user and conversation, so
what was loaded for one user is never found for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.shortcuts import get_object_or_404

from conversations.models import Conversation, Message, Status
from conversations.paging import Page, conversations_page, messages_page
from conversations.shown import ShownConversation, ShownMessage
from performance.cache import conversation_cache, register

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@register
@dataclass(frozen=True, slots=True)
class MessagePage:
    """A conversation with one page of its messages, oldest first; `next` is the earlier page's cursor."""

    conversation: ShownConversation
    rows: tuple[ShownMessage, ...]
    next: str

    @property
    def stream_start(self) -> str:
        """Where the events of a reply being written begin: a page that opens late sees all of them."""
        running = (row.reply for row in self.rows if row.reply)
        starts = (reply.stream_start for reply in running if reply.status == Status.RUNNING)
        return next(starts, "")


@register
@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of a user's conversations, newest first."""

    rows: tuple[ShownConversation, ...]
    next: str


def message_page(user: User, conversation_id: UUID, before: str = "") -> MessagePage:
    """The newest messages, or those just before message `before`. Raises Http404."""

    def load() -> MessagePage:
        conversation: Conversation = get_object_or_404(user.conversations, pk=conversation_id)
        page: Page[Message] = messages_page(conversation.messages, before)
        rows = tuple(ShownMessage.of(message) for message in page.rows)
        return MessagePage(ShownConversation.of(conversation), rows, page.next)

    found: MessagePage = conversation_cache.remember(user.pk, load, conversation_id, page=before)
    return found


def conversation_page(user: User, cursor: str = "") -> ConversationPage:
    """The newest conversations, or those after `cursor`. Raises Http404 for a cursor that is none."""

    def load() -> ConversationPage:
        page: Page[Conversation] = conversations_page(user.conversations.all(), cursor)
        return ConversationPage(tuple(map(ShownConversation.of, page.rows)), page.next)

    found: ConversationPage = conversation_cache.remember(user.pk, load, page=cursor)
    return found
