"""What a user sends: a first message, the next one, another version. Each is safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils.text import Truncator

from conversations import exchanges
from conversations.models import TITLE_LENGTH, Branch, Conversation, Message, Reply

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class KeyReused(Exception):
    """The idempotency key came before with another text."""


class ReplyInProgress(Exception):
    """The reply that the message would follow is still being written."""


class _Repeated(Exception):
    """A message with that key is there."""


def start(
    user: User, text: str, key: UUID, attached: Sequence[UUID] = (), **chosen: object
) -> Conversation:
    """A new conversation that begins with `text`; the same call again returns the same one.

    `chosen` are other fields of the conversation, such as its `chat_model`. Raises KeyReused when
    `key` started another conversation of this user, attachments.Refused where one of `attached` is gone.
    """
    try:
        with transaction.atomic():
            conversation = Conversation.objects.create(
                user=user,
                title=_title(text) or _file_name(user, attached),
                idempotency_key=key,
                **chosen,
            )
            exchanges.ask(Branch.objects.begin(conversation), text, key, attached)
    except IntegrityError:
        conversation = Conversation.objects.get(user=user, idempotency_key=key)
        _same_or_refuse(conversation, text, key)
    return conversation


def send(
    conversation: Conversation,
    text: str,
    key: UUID,
    branch: int | None = None,
    attached: Sequence[UUID] = (),
) -> Message:
    """The user's message, with a pending reply after it; the same call again returns the same one.

    It follows the last message of `branch`, or of the branch that is shown; that one is shown from
    then on. Raises KeyReused, ReplyInProgress while the reply that it follows is not finished,
    attachments.Refused where one of `attached` is gone, Conversation.DoesNotExist or Branch.DoesNotExist.
    """

    def add() -> Message:
        return exchanges.ask(_followed(conversation, branch, key), text, key, attached)

    return _once(conversation, text, key, add)


def _followed(conversation: Conversation, number: int | None, key: UUID) -> Branch:
    """The branch that a message with that key is to follow, shown from now on. One look at all of it."""
    shown = conversation.branches.last_shown_first()
    asked = shown.with_tip().annotate(
        shown_id=Subquery(shown.values("pk")[:1]),
        is_repeated=Exists(conversation.messages.filter(idempotency_key=key)),
        is_being_answered=Exists(Reply.objects.open().filter(message__branch=OuterRef("pk"))),
    )
    branch: Any = asked.get(pk=number) if number else asked.first()
    if branch is None:
        return conversation.shown_branch
    if branch.is_repeated:
        raise _Repeated
    if branch.is_being_answered:
        raise ReplyInProgress
    if branch.pk != branch.shown_id:
        branch.show()
    followed: Branch = branch
    return followed


def edit(message: Message, text: str, key: UUID, attached: Sequence[UUID] = ()) -> Message:
    """Another version of a user's message, with a pending reply after it; the first one stays.

    It has the first one's files, and `attached`. The same call again returns the same one. Raises
    KeyReused, attachments.Refused or Conversation.DoesNotExist.
    """

    def add() -> Message:
        kept = message.attachments.in_order().values_list("pk", flat=True)
        return exchanges.ask(Branch.objects.forked(before=message), text, key, [*kept, *attached])

    return _once(message.conversation, text, key, add)


def _once(conversation: Conversation, text: str, key: UUID, add: Callable[[], Message]) -> Message:
    try:
        with transaction.atomic():
            exchanges.touch(conversation)
            return add()
    except (IntegrityError, _Repeated):
        return _same_or_refuse(conversation, text, key)


def _same_or_refuse(conversation: Conversation, text: str, key: UUID) -> Message:
    message = Message.objects.get(conversation=conversation, idempotency_key=key)
    if message.text != text:
        raise KeyReused
    return message


def _file_name(user: User, attached: Sequence[UUID]) -> str:
    """What a conversation that begins with files alone is called, until its answer names it."""
    names = user.attachments.filter(pk__in=attached).in_order().values_list("name", flat=True)
    return (names.first() or "")[:TITLE_LENGTH] if attached else ""


def _title(text: str) -> str:
    first_line = text.strip().splitlines()[0] if text.strip() else ""
    return Truncator(" ".join(first_line.split())).chars(min(60, TITLE_LENGTH))
