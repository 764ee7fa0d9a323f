"""What pages read: through the cache, one user's own, forgotten when it changes.

Ownership is settled by the load, which goes through the user; keys hold user and conversation, so
what was loaded for one user is never found for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from conversations import rendering, settled, windows
from conversations.models import Conversation, Status
from conversations.paging import Page, conversations_page
from conversations.shown import ShownConversation, ShownMessage
from conversations.windows import NEWEST, OF_A_MESSAGE, Anchor
from performance.cache import conversation_cache, register

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@register
@dataclass(frozen=True, slots=True)
class MessagePage:
    """A conversation with one page of a branch's messages, oldest first.

    `earlier` and `later` number the first and last of them where there are more, and are 0 where
    there are not. `shown` says that this branch is the one which the conversation shows.
    """

    conversation: ShownConversation
    branch: int
    shown: bool
    rows: tuple[ShownMessage, ...]
    earlier: int
    later: int
    html: str = ""

    @property
    def is_current(self) -> bool:
        """Whether it ends where new messages come."""
        return self.shown and not self.later

    @property
    def stream_start(self) -> str:
        """Where the events of a reply being written begin: a page that opens late sees all of them."""
        running = (row.reply for row in self.rows if row.reply)
        starts = [reply.stream_start for reply in running if reply.status == Status.RUNNING]
        return min(filter(None, starts), key=_order, default="")


def _order(event_id: str) -> tuple[int, ...]:
    return tuple(map(int, event_id.split("-")))


@register
@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of a user's conversations, newest first."""

    rows: tuple[ShownConversation, ...]
    next: str


def message_page(user: User, conversation_id: UUID, anchor: Anchor = NEWEST) -> MessagePage:
    """The messages where `anchor` says. Raises Http404."""

    def load() -> MessagePage:
        own = windows.with_window(user.conversations.all(), anchor)
        conversation: Conversation = get_object_or_404(own, pk=conversation_id)
        return _page(conversation, anchor)

    found: MessagePage = conversation_cache.remember(
        user.pk, load, conversation_id, page=f"{anchor}@{settled.look()}"
    )
    return found


def _page(conversation: Conversation, anchor: Anchor) -> MessagePage:
    window = windows.window(conversation)
    shown = ShownConversation.of(conversation)
    if window is None:
        if anchor.kind in OF_A_MESSAGE:
            raise Http404("There is no such message here.")
        return MessagePage(shown, branch=0, shown=True, rows=(), earlier=0, later=0)
    messages = conversation.messages.for_page().filter(window.holds).order_by("place")
    rows = tuple(
        ShownMessage.of(message, window.versions(message.branch_id, message.place))
        for message in rendering.current(messages)
    )
    return MessagePage(
        shown,
        branch=window.branch,
        shown=window.shown,
        rows=rows,
        earlier=rows[0].pk if rows and window.lowest > 1 else 0,
        later=rows[-1].pk if rows and window.highest < window.tip else 0,
        html=settled.html(shown, rows),
    )


def conversation_page(user: User, cursor: str = "") -> ConversationPage:
    """The newest conversations, or those after `cursor`. Raises Http404 for a cursor that is none."""

    def load() -> ConversationPage:
        page: Page[Conversation] = conversations_page(user.conversations.all(), cursor)
        return ConversationPage(tuple(map(ShownConversation.of, page.rows)), page.next)

    found: ConversationPage = conversation_cache.remember(user.pk, load, page=cursor)
    return found
