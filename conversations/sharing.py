"""Conversations shown to whoever has a link, as they stood when it was made.

What is shown is settled by the link alone: nothing here knows who is asking. A page is read by ranges
of places, so it costs the same at message 10 and at message 10,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core import signing
from django.http import Http404
from django.template.loader import render_to_string
from django.utils import timezone

from conversations import citations, edition, rendering, windows
from conversations.models import (
    OPEN,
    Conversation,
    Message,
    Permission,
    Preferences,
    Reply,
    ShareLink,
    SharingPolicy,
    ToolRun,
)
from conversations.models.share_links import digest_of, new_secret
from conversations.windows import MESSAGES, Anchor, Window
from performance.cache import conversation_cache, digest, register

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

MOST_LINKS = 200  # that work, of one user
PREVIEW_SECONDS = 24 * 3600  # a preview older than this is to be looked at again
TEMPLATE = "sharing/messages.html"
_SALT = "conversations.sharing"


class SharingIsOff(Exception):
    pass


class TooManyLinks(Exception):
    pass


class Outdated(Exception):
    """The preview is too old, none of this conversation, or its form has made another link already."""


@dataclass(frozen=True)
class Rules:
    """What the site allows now: `most_days` is the longest life of a link, None without a limit."""

    enabled: bool
    most_days: int | None


@dataclass(frozen=True)
class Snapshot:
    """Which messages of a conversation, and what of them, a link shows or would show.

    `until` is when it was looked at: an answer that was finished later is not shown. `title` is what the
    conversation was called then. `name` is the owner's, "" where it is not shown.
    """

    branch: int
    last: int
    until: datetime
    with_tools: bool
    name: str
    title: str

    @classmethod
    def of(cls, link: ShareLink) -> Self:
        """Of a link that came with its user."""
        name = link.user.get_username() if link.with_name else ""
        places = link.branch_id, link.last_place, link.shown_until
        return cls(*places, link.with_tools, name, link.title)

    def sealed(self, conversation: Conversation) -> str:
        """For the form below a preview, so that what was seen is what is shared, and nothing else."""
        places = self.branch, self.last, self.until.isoformat()
        values = [str(conversation.pk), *places, self.with_tools, self.name, self.title]
        return signing.dumps(values, salt=_SALT)

    @classmethod
    def unsealed(cls, sealed: str, conversation: Conversation) -> Self:
        """Raises Outdated."""
        try:
            values = signing.loads(sealed, salt=_SALT, max_age=PREVIEW_SECONDS)
            pk, branch, last, until, with_tools, name, title = values
        except (signing.BadSignature, ValueError) as error:  # or as an earlier release sealed it
            raise Outdated from error
        if pk != str(conversation.pk):
            raise Outdated
        return cls(branch, last, datetime.fromisoformat(until), with_tools, name, title)


@dataclass(frozen=True)
class SharedMessage:
    """`html` is None where the answer was not finished when the link was made, or changed since."""

    place: int
    role: str
    html: str | None
    created_at: datetime
    author: str
    tool_runs: tuple[ToolRun, ...]


@register
@dataclass(frozen=True, slots=True)
class SharedPage:
    """Messages `first` to `last` of `total` as HTML; `previous` and `next` begin the pages beside (0: none)."""

    title: str
    name: str
    first: int
    last: int
    total: int
    previous: int
    next: int
    html: str


def rules() -> Rules:
    """The settings', and staff's where those are narrower."""
    policy = SharingPolicy.objects.first()
    limits = [settings.SHARING_MOST_DAYS or None, policy.most_days if policy else None]
    return Rules(
        enabled=settings.SHARING and (policy is None or policy.enabled),
        most_days=min((days for days in limits if days is not None), default=None),
    )


def now(conversation: Conversation, *, with_tools: bool, name: str) -> Snapshot | None:
    """What the conversation shows at this moment. None where it has no messages."""
    own = Conversation.objects.filter(pk=conversation.pk)
    found = windows.window(windows.with_window(own, Anchor(), 1).get())
    if found is None or not found.tip:
        return None
    title = conversation.title
    return Snapshot(found.branch, found.tip, timezone.now(), with_tools, name, title)


def make(
    user: User, conversation: Conversation, shown: Snapshot, expires_at: datetime | None, key: UUID
) -> str:
    """Makes a link to what was previewed of the user's own. Returns its secret, which is stored nowhere.

    A key that was used makes no other link, and returns "". Raises SharingIsOff, TooManyLinks, and Outdated
    where it was used for another link.
    """
    allowed = rules()
    if not allowed.enabled:
        raise SharingIsOff
    if user.share_links.working(allowed.most_days).count() >= MOST_LINKS:
        raise TooManyLinks
    secret = new_secret()
    fields: dict[str, Any] = {
        "conversation": conversation,
        "branch_id": shown.branch,
        "last_place": shown.last,
        "shown_until": shown.until,
        "with_tools": shown.with_tools,
        "with_name": bool(shown.name),
        "title": shown.title,
        "expires_at": expires_at,
        "digest": digest_of(secret),
    }
    link, created = user.share_links.get_or_create(idempotency_key=key, defaults=fields)
    if not created and not _is_same(link, conversation, expires_at):
        raise Outdated
    return secret if created else ""


def _is_same(link: ShareLink, conversation: Conversation, expires_at: datetime | None) -> bool:
    """Whether it is what the same form asked for, moments ago."""
    ends = link.expires_at
    if ends is None or expires_at is None:
        in_time = ends is expires_at
    else:
        in_time = abs(expires_at - ends) < timedelta(hours=12)
    return in_time and link.conversation_id == conversation.pk


def find(secret: str) -> ShareLink | None:
    """The link that opens with this secret; None for a wrong, expired or revoked one alike."""
    allowed = rules()
    links = ShareLink.objects.working(allowed.most_days).of_secret(secret)
    link = links.select_related("user__preferences", "conversation").first()
    return link if allowed.enabled else None


def linked_page(link: ShareLink, first: int) -> SharedPage:
    """The page of a link that begins at that place, kept in the cache unless its owner wants none of it.

    Raises Http404.
    """

    shown = Snapshot.of(link)

    def load() -> SharedPage:
        return page(link.conversation, shown, first)

    if not getattr(link.user, "preferences", Preferences()).use_caches:
        return load()
    # The user's name is no part of their conversations: these are not forgotten with it.
    name = digest("share", link.pk, first, shown.name, edition.name())
    found: SharedPage = conversation_cache.remember(
        link.user_id, load, link.conversation_id, page=name
    )
    return found


def page(conversation: Conversation, shown: Snapshot, first: int) -> SharedPage:
    """The messages of a snapshot from that place on. Raises Http404 where it has none there."""
    found = _window(conversation, shown, first)
    if found is None or not 1 <= first <= min(shown.last, found.tip):
        raise Http404("There is no such part of this conversation.")
    total = min(shown.last, found.tip)
    last = min(first + MESSAGES - 1, total)
    rows = [_shared(message, shown) for message in _messages(conversation, found, shown, last)]
    return SharedPage(
        title=shown.title,
        name=shown.name,
        first=first,
        last=last,
        total=total,
        previous=max(1, first - MESSAGES) if first > 1 else 0,
        next=last + 1 if last < total else 0,
        html=render_to_string(TEMPLATE, {"rows": rows, "name": shown.name}),
    )


def _window(conversation: Conversation, shown: Snapshot, first: int) -> Window | None:
    own = Conversation.objects.filter(pk=conversation.pk)
    anchor = Anchor("from", first)
    row = windows.with_window(own, anchor, branch=shown.branch).first()
    return windows.window(row) if row else None


def _messages(
    conversation: Conversation, found: Window, shown: Snapshot, last: int
) -> list[Message]:
    rows = conversation.messages.filter(found.holds, place__lte=last).select_related("reply")
    if shown.with_tools:
        rows = rows.prefetch_related("reply__tool_runs")
    return rendering.current(rows.order_by("place"))


def _shared(message: Message, shown: Snapshot) -> SharedMessage:
    reply: Reply | None = getattr(message, "reply", None)
    stood = _stood(message, reply, shown.until)
    return SharedMessage(
        place=message.place,
        role=str(message.role),
        html=citations.unlinked(message.html) if stood else None,
        created_at=message.created_at,
        author=reply.author if reply else "",
        tool_runs=_runs(reply) if reply and stood and shown.with_tools else (),
    )


def _stood(message: Message, reply: Reply | None, moment: datetime) -> bool:
    """Whether the message had the text at that moment that it has now."""
    if reply is None:
        return message.created_at <= moment
    return reply.status not in OPEN and (reply.finished_at or message.created_at) <= moment


def _runs(reply: Reply) -> tuple[ToolRun, ...]:
    waiting = {Permission.ASKED, Permission.GIVEN}
    runs = (run for run in reply.tool_runs.all() if run.attempt == reply.attempt)
    return tuple(run for run in runs if run.permission not in waiting)
