"""A JSON file back into conversations: read whole before the first is taken, each taken whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from conversations import attachments
from conversations.chatgpt import Outcome
from conversations.models import Attachment, Branch, Conversation, Message, Reply, ToolRun
from conversations.transfer import files
from conversations.transfer.rows import (
    BranchRow,
    ConversationHead,
    ConversationRow,
    File,
    MessageRow,
    moments,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MOST_BYTES = 32 * 1024 * 1024
SPACE = UUID("0d9a2c1e-7b0f-4f0d-9a53-6f2a1f5c8e77")  # in which the keys of imported ones are made
# Room on both sides, so that every time zone can show them: beyond, PostgreSQL holds what Python cannot read.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """The file is not one of ours, or damaged; says where."""


def read(data: bytes) -> File:
    """What a file holds, whose trees and moments are sound. Raises Refused."""
    try:
        file = msgspec.json.decode(data, type=File)
    except msgspec.ValidationError as error:
        raise _other(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(_("It is no JSON: %(error)s.") % {"error": error}) from error
    for number, row in enumerate(file.conversations):
        where = f"$.conversations[{number}]"
        _check(row, where)
        _check_moments(row, where)
    return file


def take(user: User, row: ConversationRow, on_file: Callable[[Attachment], object]) -> Outcome:
    """Adds one to the user's conversations, once however often it is imported.

    `on_file` is called with each stored file, inside the transaction.
    """
    title = " ".join(row.title.replace("\0", " ").split())
    key = uuid5(SPACE, sha256(msgspec.json.encode(row)).hexdigest())
    existing = Conversation.objects.filter(user=user, idempotency_key=key).first()
    if existing is not None:
        return Outcome(title, conversation=str(existing.pk), already=True)
    try:
        with transaction.atomic():
            conversation = _add(user, row, key, on_file)
    except IntegrityError:  # another import of the same file was quicker
        return Outcome(title, already=True)
    except attachments.Refused as refused:
        words = _("A file in it is not taken: %(reason)s")
        return Outcome(title, problem=words % {"reason": refused.words})
    except (DataError, ValueError) as error:  # NUL, for one, which PostgreSQL cannot hold
        words = _("A text in it cannot be stored: %(error)s.")
        return Outcome(title, problem=words % {"error": error})
    return Outcome(title, len(row.messages), str(conversation.pk))


def _other(error: object) -> Refused:
    words = _("It does not hold what an export of this site holds: %(error)s.")
    return Refused(words % {"error": error})


def _check_moments(row: ConversationRow, where: str) -> None:
    for place, moment in moments(row, where):
        if not EARLIEST <= moment < LATEST:
            years = f"{EARLIEST.year} to {LATEST.year - 1}"
            raise _other(f"Expected a moment of the years {years} - at `{place}`")


def _check(row: ConversationRow, where: str) -> None:
    """Each branch departs from an earlier one, where that has a message, and has no gaps."""
    tips = [branch.fork for branch in row.branches]
    for message in sorted(row.messages, key=lambda message: (message.branch, message.place)):
        if message.branch >= len(tips) or message.place != tips[message.branch] + 1:
            raise Refused(
                _("Place %(place)d of branch %(branch)d fits nowhere: %(where)s.")
                % {"place": message.place, "branch": message.branch, "where": where}
            )
        if message.reply is not None and message.role != "assistant":
            raise Refused(
                _("A message of role %(role)s is no answer: %(where)s.")
                % {"role": message.role, "where": where}
            )
        tips[message.branch] = message.place
    for number, attachment in enumerate(row.attachments):
        if max(attachment.messages) >= len(row.messages):
            raise Refused(
                _("File %(number)d belongs to no message: %(where)s.")
                % {"number": number, "where": where}
            )
    for number, branch in enumerate(row.branches):
        if not _departs(branch, number, row.branches, tips):
            raise Refused(
                _("Branch %(number)d departs from nowhere: %(where)s.")
                % {"number": number, "where": where}
            )


def _departs(branch: BranchRow, number: int, branches: list[BranchRow], tips: list[int]) -> bool:
    if branch.parent is None:
        return branch.fork == 0
    earlier = branch.parent < number
    return earlier and branches[branch.parent].fork < branch.fork <= tips[branch.parent]


def _add(
    user: User, row: ConversationRow, key: UUID, on_file: Callable[[Attachment], object]
) -> Conversation:
    conversation = Conversation.objects.create(
        user=user, idempotency_key=key, **_fields(row, ConversationHead)
    )
    branches: list[Branch] = []
    for branch in row.branches:
        parent = None if branch.parent is None else branches[branch.parent]
        fields = {"fork": branch.fork, "shown_at": branch.shown_at}
        branches.append(conversation.branches.create(parent=parent, **fields))
    messages = [_message(conversation, branches, message) for message in row.messages]
    Message.objects.bulk_create(messages, batch_size=500)
    replies, runs = [], []
    for message, one in zip(messages, row.messages, strict=True):
        if one.reply is not None:
            fields = msgspec.structs.asdict(one.reply)
            fields.pop("tool_runs")
            reply = Reply(message=message, enqueued_at=None, **fields)
            replies.append(reply)
            runs += [
                ToolRun(reply=reply, **msgspec.structs.asdict(run)) for run in one.reply.tool_runs
            ]
    Reply.objects.bulk_create(replies, batch_size=500)
    ToolRun.objects.bulk_create(runs, batch_size=500)
    files.read(user, conversation, row.attachments, messages, on_file)
    return conversation


def _message(conversation: Conversation, branches: list[Branch], row: MessageRow) -> Message:
    """Its HTML is made when it is first read."""
    return Message(
        conversation=conversation,
        branch=branches[row.branch],
        place=row.place,
        role=row.role,
        text=row.text,
        created_at=row.created_at,
    )


def _fields(row: msgspec.Struct, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in kind.__struct_fields__}
