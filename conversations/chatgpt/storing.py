"""One conversation of the export as rows: once, however often the export is imported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone
from msgspec import Struct

from conversations.chatgpt.shapes import ExportedConversation
from conversations.chatgpt.trees import Run, Tree, tree
from conversations.models import TITLE_LENGTH, Branch, Conversation, Message, Reply, Role, Status

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SPACE = UUID("5b0a3a0e-53f0-4c1c-a2b4-6c2f0d6f9f1e")  # in which the keys of imported ones are made
AUTHOR = "ChatGPT"
LATEST_YEAR = 3000  # the last years of the calendar cannot be shown in every time zone


class Outcome(Struct):
    """What became of one conversation. `problem` is a sentence where it was not taken.

    `left` counts what of it was left out, by kind.
    """

    title: str
    messages: int = 0
    conversation: str = ""
    already: bool = False
    left: dict[str, int] = {}
    problem: str = ""


def take(user: User, exported: ExportedConversation) -> Outcome:
    """Adds it to the user's conversations, with all its versions."""
    title = " ".join((exported.title or "").replace("\0", " ").split())[:TITLE_LENGTH]
    if not exported.number:
        return Outcome(
            title, problem="$.conversation_id: missing, so it cannot be told from others."
        )
    key = uuid5(SPACE, exported.number)
    existing = Conversation.objects.filter(user=user, idempotency_key=key).first()
    if existing is not None:
        return Outcome(title, conversation=str(existing.pk), already=True)
    found = tree(exported)
    if not found.runs:
        return Outcome(
            title, left=dict(found.left), problem="$.mapping: there is no message in it."
        )
    try:
        with transaction.atomic():
            conversation = _add(user, exported, title, key, found)
    except IntegrityError:  # another import of the same export was quicker
        return Outcome(title, already=True)
    except (DataError, OverflowError, ValueError) as error:
        return Outcome(title, problem=f"$.mapping: it cannot be stored ({type(error).__name__}).")
    count = sum(len(run.messages) for run in found.runs)
    return Outcome(title, count, str(conversation.pk), left=dict(found.left))


def _add(
    user: User, exported: ExportedConversation, title: str, key: UUID, found: Tree
) -> Conversation:
    begun = _moment(exported.create_time) or timezone.now()
    conversation = Conversation.objects.create(
        user=user,
        title=title,
        title_is_chosen=bool(title),
        idempotency_key=key,
        created_at=begun,
        last_message_at=_moment(exported.update_time) or begun,
        archived=bool(exported.is_archived),
    )
    branches: list[Branch] = []
    for number, run in enumerate(found.runs):
        parent = None if run.parent is None else branches[run.parent]
        # The shown one was shown last; the others in their order before it.
        since = timedelta(seconds=len(found.runs) - number if number != found.shown else 0)
        branches.append(
            conversation.branches.create(
                parent=parent, fork=run.fork, shown_at=timezone.now() - since
            )
        )
    messages = [
        message
        for branch, run in zip(branches, found.runs, strict=True)
        for message in _messages(conversation, branch, run, begun)
    ]
    Message.objects.bulk_create([message for message, _model in messages], batch_size=500)
    Reply.objects.bulk_create(
        [_reply(message, model) for message, model in messages if message.role == Role.ASSISTANT],
        batch_size=500,
    )
    return conversation


def _messages(
    conversation: Conversation, branch: Branch, run: Run, begun: datetime
) -> list[tuple[Message, str]]:
    """With the models that wrote them. One without a time gets that of the one before it."""
    rows, moment = [], begun
    for place, one in enumerate(run.messages, run.fork + 1):
        moment = _moment(one.moment) or moment
        message = Message(
            conversation=conversation,
            branch=branch,
            place=place,
            role=Role.USER if one.role == "user" else Role.ASSISTANT,
            text=one.text,
            created_at=moment,
        )
        rows.append((message, one.model))
    return rows


def _reply(message: Message, model: str) -> Reply:
    return Reply(
        message=message,
        status=Status.COMPLETE,
        attempt=1,
        author=AUTHOR,
        model=model[:200],
        pending_since=message.created_at,
        finished_at=message.created_at,
    )


def _moment(seconds: float | None) -> datetime | None:
    """None where there is none, or none that a calendar has."""
    if seconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment if 1970 < moment.year < LATEST_YEAR else None
