"""What pages read: through the cache, one user's own, forgotten when it changes.

Ownership is settled by the load, which goes through the user; keys hold user and conversation, so
what was loaded for one user is never found for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField
from django.db.models.expressions import RawSQL
from django.http import Http404
from django.shortcuts import get_object_or_404

from conversations import edition, rendering, settled, windows
from conversations.models import Conversation, Status
from conversations.paging import Listing, Page, conversations_page
from conversations.shown import ShownConversation, ShownMessage, ShownUsage
from conversations.streams import order
from conversations.windows import NEWEST, OF_A_MESSAGE, Anchor
from performance.cache import conversation_cache, digest, register

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ALL = Listing()


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
    usage: ShownUsage | None = None

    @property
    def is_current(self) -> bool:
        """Whether it ends where new messages come."""
        return self.shown and not self.later

    @property
    def is_settled(self) -> bool:
        """Whether it stays as it is until something is written, and may be kept until then."""
        return not self.conversation.temporary and all(row.is_settled for row in self.rows)

    @property
    def stream_start(self) -> str:
        """Where the events of a reply being written begin: a page that opens late sees all of them."""
        running = (row.reply for row in self.rows if row.reply)
        starts = [reply.stream_start for reply in running if reply.status == Status.RUNNING]
        return min(filter(None, starts), key=order, default="")

    @property
    def unplaced(self) -> dict[int, int]:
        """Replies of which no checkpoint has told where their events begin, or will once they have begun.

        By message, each with its running attempt or, where it waits, the next: a page that was kept may
        not know yet that it has begun.
        """
        found = {}
        for row in self.rows:
            if row.reply and row.reply.status == Status.PENDING:
                found[row.pk] = row.reply.attempt + 1
            elif row.reply and row.reply.status == Status.RUNNING and not row.reply.stream_start:
                found[row.pk] = row.reply.attempt
        return found


@register
@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of a user's conversations. `tags` are those of all of them."""

    rows: tuple[ShownConversation, ...]
    next: str
    show: str
    tag: str
    tags: tuple[str, ...]


class _Unkept(Exception):
    """Carries a page past the cache: it is of a temporary conversation."""

    def __init__(self, page: MessagePage) -> None:
        self.page = page


def message_page(
    user: User, conversation_id: UUID, anchor: Anchor = NEWEST, *, cached: bool = True
) -> MessagePage:
    """The messages where `anchor` says; from the database alone where not `cached`. Raises Http404."""

    def load() -> MessagePage:
        own = windows.with_window(user.conversations.select_related("usage"), anchor)
        conversation: Conversation = get_object_or_404(own, pk=conversation_id)
        page = _page(conversation, anchor)
        if conversation.temporary and cached:
            raise _Unkept(page)
        return page

    if not cached:
        return load()
    try:
        found: MessagePage = conversation_cache.remember(
            user.pk, load, conversation_id, page=f"{anchor}@{edition.name()}"
        )
    except _Unkept as unkept:
        return unkept.page
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
        usage=ShownUsage.of(getattr(conversation, "usage", None)),
    )


# An uncorrelated subquery: PostgreSQL runs it once, so rows and tags come in one statement.
_TAGS = """(SELECT coalesce(array_agg(DISTINCT tag ORDER BY tag), '{}')
FROM conversations_conversation, unnest(tags) tag
WHERE user_id = %s AND NOT tags = '{}' AND NOT temporary)"""


def conversation_page(
    user: User, listing: Listing = ALL, *, cached: bool = True
) -> ConversationPage:
    """The conversations of that list; from the database alone where not `cached`.

    Raises Http404 for a cursor that is none.
    """

    def load() -> ConversationPage:
        all_tags = RawSQL(_TAGS, [user.pk], ArrayField(CharField()))  # noqa: S611
        own: Any = listing.of(user.conversations.kept().annotate(all_tags=all_tags))
        page: Page[Any] = conversations_page(own, listing.cursor)
        tags = page.rows[0].all_tags if page.rows else ()
        rows = tuple(map(ShownConversation.of, page.rows))
        return ConversationPage(rows, page.next, listing.show, listing.tag, tuple(tags))

    if not cached:
        return load()
    name = digest(listing.cursor, listing.show, listing.tag) if listing != ALL else ""
    found: ConversationPage = conversation_cache.remember(user.pk, load, page=name)
    return found
