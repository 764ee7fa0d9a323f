"""Which messages a page shows: a range of places on one way through a conversation's tree.

One query finds the way, another fetches its messages by ranges of places: neither reads a branch that
is not shown, and both cost the same in a conversation of 100 messages and of 100,000.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self, get_args

import msgspec
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.http import Http404

from conversations.models import Branch, Conversation, Message
from conversations.models.conversations import ConversationQuerySet
from conversations.models.messages import MessageQuerySet

MESSAGES = 50  # on a page

Kind = Literal["newest", "before", "after", "at", "from"]
OF_A_MESSAGE = frozenset({"before", "after", "at"})


@dataclass(frozen=True)
class Anchor:
    """Where a page lies: at the end, around or beside message `number`, or from place `number` on."""

    kind: Kind = "newest"
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}" if self.number else ""

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Self:
        """From a page's address: ?before=, ?after=, ?at= or ?from=. Raises Http404 for no number."""
        for kind in get_args(Kind):
            if query.get(kind):
                return cls(kind, message_id(str(query[kind])))
        return cls()


NEWEST = Anchor()


def message_id(text: str) -> int:
    """Raises Http404 where `text` is not the number of a message."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Http404("That is not the number of a message.")
    return int(text)


def asked_number(query: Mapping[str, Any], name: str, default: int) -> int:
    """The number that a page's address gives as `name`. Raises Http404 where it gives anything else."""
    return message_id(str(query[name])) if query.get(name) else default


class Segment(NamedTuple):
    """The places `first` to `last` of the way lie in `branch`."""

    branch: int
    first: int
    last: int


class Fork(NamedTuple):
    """After place `place` of `parent` (None: before the first message) `branch` departs."""

    parent: int | None
    place: int
    branch: int


class Window(msgspec.Struct, frozen=True):
    """Places `lowest` to `highest` of the way that ends at place `tip` of `branch`.

    `shown` says that this is the branch which the conversation shows now.
    """

    branch: int
    shown: bool
    tip: int
    lowest: int
    highest: int
    segments: tuple[Segment, ...]
    forks: tuple[Fork, ...]

    @property
    def holds(self) -> Q:
        """What selects its messages."""
        held = Q(pk__in=[])
        for branch, first, last in self.segments:
            held |= Q(branch=branch, place__range=(first, last))
        return held

    def versions(self, branch: int, place: int) -> tuple[int, ...]:
        """The branches that have another message at this place after the same one; its own included."""
        own = next(
            (fork for fork in self.forks if (fork.branch, fork.place + 1) == (branch, place)), None
        )
        parent = own.parent if own else branch
        if own is None and place == 1:
            parent = None
        siblings = [
            fork.branch for fork in self.forks if (fork.parent, fork.place) == (parent, place - 1)
        ]
        return tuple(siblings if parent is None else [parent, *siblings])


# What the anchor says: the branch whose way is gone, and the lowest and highest place of the page.
_SHOWN = """
    SELECT id, parent_id, fork, shown_at, 0 AS place FROM conversations_branch
    WHERE conversation_id = conversations_conversation.id ORDER BY shown_at DESC, id DESC LIMIT 1"""
# Of the branches that hold the message, the one that was shown last.
_HOLDING = """
    SELECT b.id, b.parent_id, b.fork, b.shown_at, at.place FROM below
    JOIN conversations_branch b ON b.id = below.id CROSS JOIN at
    ORDER BY b.shown_at DESC, b.id DESC LIMIT 1"""
# A branch that is named, whichever is shown.
_NAMED = """
    SELECT id, parent_id, fork, shown_at, 0 AS place FROM conversations_branch
    WHERE id = {branch} AND conversation_id = conversations_conversation.id"""
_RANGES = {
    "newest": ("tip - {size} + 1", "tip"),
    "from": ("{number}", "{number} + {size} - 1"),
    "before": ("place - {size}", "place - 1"),
    "after": ("place + 1", "place + {size}"),
    "at": (
        "least(place - {size} / 2 + 1, tip - {size} + 1)",
        "greatest(place + {size} / 2, {size})",
    ),
}
_WINDOW = """(
WITH RECURSIVE at AS (
    SELECT branch_id, place FROM conversations_message
    WHERE id = %s AND conversation_id = conversations_conversation.id
), below AS (
    SELECT branch_id AS id FROM at
    UNION ALL
    SELECT b.id FROM below CROSS JOIN at JOIN conversations_branch b ON b.parent_id = below.id
    WHERE below.id <> at.branch_id OR b.fork >= at.place
), leaf AS ({leaf}
), ends AS (
    SELECT leaf.*, coalesce((SELECT max(place) FROM conversations_message WHERE branch_id = leaf.id), fork) AS tip
    FROM leaf
), page AS (
    SELECT greatest({lowest}, 1) AS lowest, least({highest}, tip) AS highest FROM ends
), way AS (
    SELECT id, parent_id, fork, tip AS last FROM ends
    UNION ALL
    SELECT b.id, b.parent_id, b.fork, way.fork FROM way CROSS JOIN page
    JOIN conversations_branch b ON b.id = way.parent_id WHERE way.fork >= page.lowest - 1
), forks AS (
    SELECT f.parent_id, f.fork, f.id FROM way CROSS JOIN page JOIN conversations_branch f ON f.parent_id = way.id
    WHERE f.fork BETWEEN page.lowest - 1 AND least(page.highest - 1, way.last)
    UNION ALL
    SELECT NULL, 0, f.id FROM page JOIN conversations_branch f
    ON f.conversation_id = conversations_conversation.id AND f.parent_id IS NULL WHERE page.lowest = 1
)
SELECT json_build_object(
    'branch', ends.id, 'tip', ends.tip, 'lowest', page.lowest, 'highest', page.highest,
    'shown', NOT EXISTS (SELECT FROM conversations_branch b
        WHERE b.conversation_id = conversations_conversation.id AND (b.shown_at, b.id) > (ends.shown_at, ends.id)),
    'segments', (SELECT coalesce(json_agg(json_build_array(id, greatest(fork + 1, page.lowest), least(last, page.highest))
        ORDER BY fork), '[]') FROM way WHERE fork < page.highest AND last >= page.lowest),
    'forks', (SELECT coalesce(json_agg(json_build_array(parent_id, fork, id) ORDER BY id), '[]') FROM forks)
)::text FROM ends, page
)"""


def with_window(
    conversations: ConversationQuerySet,
    anchor: Anchor,
    size: int = MESSAGES,
    branch: int | None = None,
) -> ConversationQuerySet:
    """Annotates `window`: JSON for `window` to read.

    The way is that of the anchor's message, else of `branch`, else of the branch that is shown.
    """
    lowest, highest = (
        bound.format(size=int(size), number=int(anchor.number)) for bound in _RANGES[anchor.kind]
    )
    of_message = anchor.kind in OF_A_MESSAGE
    leaf = _SHOWN if branch is None else _NAMED.format(branch=int(branch))
    sql = _WINDOW.format(leaf=_HOLDING if of_message else leaf, lowest=lowest, highest=highest)
    found = RawSQL(sql, [anchor.number if of_message else None], models.TextField())  # noqa: S611
    return conversations.annotate(window=found)


def window(conversation: Conversation) -> Window | None:
    """What `with_window` found. None in a conversation without messages, or without that message."""
    found: str | None = conversation.window  # type: ignore[attr-defined]
    return msgspec.json.decode(found, type=Window) if found else None


def before(message: Message, size: int) -> MessageQuerySet:
    """The `size` messages that lead to `message`, the first of them first.

    One query where all of them are in its branch, which is to come with the message.
    """
    branch, first = message.branch, message.place - size
    if branch.parent_id is None or first > branch.fork:
        held = Q(branch=branch, place__range=(first, message.place - 1))
    else:
        own = Conversation.objects.filter(pk=message.conversation_id)
        found = window(with_window(own, Anchor("before", message.pk), size).get())
        held = found.holds if found else Q(pk__in=[])
    return Message.objects.filter(held).order_by("place")


def versions(message: Message) -> tuple[int, ...]:
    """The branches with another message in its place after the same one; its own included."""
    found = _around(message)
    return found.versions(message.branch_id, message.place) if found else ()


def latest_branch(message: Message) -> Branch:
    """Of the branches that lead over `message`, the one that was shown last."""
    found = _around(message)
    return Branch.objects.get(pk=found.branch if found else message.branch_id)


def _around(message: Message) -> Window | None:
    own = Conversation.objects.filter(pk=message.conversation_id)
    return window(with_window(own, Anchor("at", message.pk), 2).get())
