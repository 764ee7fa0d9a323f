"""What pages show of the chat's rows: frozen values without a database behind them, fit for a cache."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from conversations.attachments import explanation
from conversations.models import (
    OPEN,
    UNREAD,
    Attachment,
    Conversation,
    ConversationUsage,
    Message,
    Permission,
    Reply,
    ToolRun,
)
from performance.cache import register


@register
@dataclass(frozen=True, slots=True)
class ShownToolRun:
    """`seal` stands for the call in the form that allows it; "" where nobody is asked."""

    pk: int
    name: str
    arguments: str
    result: str
    error: str
    milliseconds: int
    cached_at: datetime | None
    permission: str
    seal: str

    @property
    def from_cache(self) -> bool:
        return self.cached_at is not None

    @classmethod
    def of(cls, run: ToolRun) -> Self:
        return cls(
            pk=run.pk,
            name=run.name,
            arguments=run.arguments,
            result=run.result,
            error=run.error,
            milliseconds=run.milliseconds,
            cached_at=run.cached_at,
            permission=str(run.permission),
            seal=run.seal if run.permission == Permission.ASKED else "",
        )


@register
@dataclass(frozen=True, slots=True)
class ShownSpent:
    """What an answer took; without tokens it took nothing, as the Guide's do."""

    read: int
    written: int
    cached: int
    estimated: bool
    cost: Decimal
    currency: str
    saved_tokens: int
    saved_cost: Decimal

    @property
    def tokens(self) -> int:
        return self.read + self.written

    @classmethod
    def of(cls, reply: Reply) -> Self | None:
        """None for an answer that was written before this was kept."""
        if reply.cost is None:
            return None
        return cls(
            reply.input_tokens or 0,
            reply.output_tokens or 0,
            reply.cached_tokens or 0,
            reply.tokens_estimated,
            reply.cost,
            reply.currency,
            reply.saved_tokens or 0,
            reply.saved_cost or Decimal(0),
        )


@register
@dataclass(frozen=True, slots=True)
class ShownReply:
    """`stages` are how long each took, in milliseconds, in their order.

    `goes_on` says that the next attempt keeps what is there.
    """

    status: str
    attempt: int
    goes_on: bool
    is_full: bool
    author: str
    model: str
    instead_of: str
    explanation: str
    stream_start: str
    stop_requested: bool
    held_up: bool
    waits_until: datetime | None
    cached_at: datetime | None
    stages: tuple[tuple[str, int], ...]
    tool_runs: tuple[ShownToolRun, ...]
    spent: ShownSpent | None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def milliseconds(self) -> int:
        return sum(milliseconds for _, milliseconds in self.stages)

    @property
    def cached_runs(self) -> int:
        return sum(run.from_cache for run in self.tool_runs)

    @classmethod
    def of(cls, reply: Reply) -> Self:
        return cls(
            status=str(reply.status),
            attempt=reply.attempt,
            goes_on=reply.continues or bool(reply.turns),
            is_full=reply.is_full,
            author=reply.author,
            model=_named(reply),
            instead_of=reply.instead_of,
            explanation=reply.explanation,
            stream_start=reply.stream_start,
            stop_requested=reply.stop_requested,
            held_up=reply.is_held_up,
            waits_until=reply.waits_until,
            cached_at=reply.cached_at,
            stages=reply.stages,
            spent=ShownSpent.of(reply),
            tool_runs=tuple(
                ShownToolRun.of(run)
                for run in (reply.tool_runs.all() if reply.attempt else ())
                if run.attempt == reply.attempt
            ),
        )


def _named(reply: Reply) -> str:
    """The model that wrote it, where its author's name does not say that already."""
    written = bool(reply.author)
    return reply.model if written and reply.model.lower() != reply.author.lower() else ""


@register
@dataclass(frozen=True, slots=True)
class ShownVersions:
    """This is version `number` of `count`; the ones beside it are in those branches (0: none)."""

    number: int
    count: int
    previous: int
    next: int

    @classmethod
    def of(cls, branch: int, branches: tuple[int, ...]) -> Self | None:
        if len(branches) < 2:
            return None
        at = branches.index(branch)
        following = branches[at + 1] if at + 1 < len(branches) else 0
        return cls(at + 1, len(branches), branches[at - 1] if at else 0, following)


@register
@dataclass(frozen=True, slots=True)
class ShownFile:
    """`problem` is the code of what is wrong with it; its words depend on who reads them."""

    pk: str
    name: str
    kind: str
    size: int
    state: str
    problem: str
    pages: int
    is_cut: bool

    @property
    def is_unread(self) -> bool:
        return self.state in UNREAD

    @property
    def explanation(self) -> str:
        return explanation(self.problem) if self.problem else ""

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        return cls(
            pk=str(attachment.pk),
            name=attachment.name,
            kind=str(attachment.kind),
            size=attachment.size,
            state=str(attachment.state),
            problem=attachment.problem,
            pages=attachment.page_count,
            is_cut=attachment.is_cut,
        )


@register
@dataclass(frozen=True, slots=True)
class ShownMessage:
    """`length` is that of the text in UTF-16 units, as browsers and events count."""

    pk: int
    branch: int
    place: int
    role: str
    html: str
    length: int
    created_at: datetime
    reply: ShownReply | None
    versions: ShownVersions | None
    files: tuple[ShownFile, ...] = ()
    verdict: str = ""

    @property
    def is_settled(self) -> bool:
        """Not being written or read, with no place in a queue, and without a form, which has its visitor's token."""
        reply = self.reply
        if any(file.is_unread for file in self.files):
            return False
        if reply is None:
            return True
        asks = any(run.permission == Permission.ASKED for run in reply.tool_runs)
        return not reply.is_open and not asks

    @classmethod
    def of(cls, message: Message, branches: tuple[int, ...] = ()) -> Self:
        """Of a message that came with `for_page()`, so that this asks nothing more.

        `branches` are those that hold its versions.
        """
        reply = getattr(message, "reply", None)
        return cls(
            pk=message.pk,
            branch=message.branch_id,
            place=message.place,
            role=str(message.role),
            html=message.html,
            length=len(message.text.encode("utf-16-le", "replace")) // 2,
            created_at=message.created_at,
            reply=ShownReply.of(reply) if reply else None,
            versions=ShownVersions.of(message.branch_id, branches),
            files=tuple(ShownFile(**file) for file in getattr(message, "files", ())),
            verdict=getattr(message, "verdict", None) or "",
        )


@register
@dataclass(frozen=True, slots=True)
class ShownConversation:
    pk: UUID
    title: str
    reuse_answers: bool
    pinned: bool
    archived: bool
    tags: tuple[str, ...]
    chat_model: str
    temporary: bool
    has_system_prompt: bool

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.title or _("New conversation")

    def get_absolute_url(self) -> str:
        return reverse("conversations:detail", args=[self.pk])

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        return cls(
            conversation.pk,
            conversation.title,
            conversation.reuse_answers,
            conversation.pinned,
            conversation.archived,
            tuple(conversation.tags),
            conversation.chat_model,
            conversation.temporary,
            bool(conversation.system_prompt),
        )


@register
@dataclass(frozen=True, slots=True)
class ShownUsage:
    """What all answers of a conversation took together, every version included."""

    messages: int
    tokens: int
    estimated: int
    cost: Decimal
    saved_tokens: int
    saved_cost: Decimal
    currency: str

    @classmethod
    def of(cls, usage: ConversationUsage | None) -> Self | None:
        if usage is None:
            return None
        return cls(
            usage.messages,
            usage.tokens,
            usage.estimated,
            usage.cost,
            usage.saved_tokens,
            usage.saved_cost,
            usage.currency,
        )
