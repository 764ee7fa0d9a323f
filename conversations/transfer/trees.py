"""The JSON file, a message at a time: memory does not grow with what is exported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from conversations.models import (
    OPEN,
    Conversation,
    Message,
    Permission,
    Preferences,
    Reply,
    Status,
    ToolRun,
)
from conversations.models.conversations import ConversationQuerySet
from conversations.transfer import files
from conversations.transfer.rows import (
    FORMAT,
    VERSION,
    BranchRow,
    ConversationHead,
    MessageRow,
    PreferencesRow,
    ReplyRow,
    ToolRunRow,
    of,
)

BATCH = 200  # messages read at a time

_encode = msgspec.json.encode


def one_by_one(conversations: ConversationQuerySet) -> Iterator[Conversation]:
    """All that there are now, in their order, read in batches; those deleted meanwhile are left out.

    Their numbers alone are held: no cursor stays open, with its connection, for a slow reader.
    """
    numbers = list(conversations.values_list("pk", flat=True))
    for start in range(0, len(numbers), BATCH):
        some = conversations.in_bulk(numbers[start : start + BATCH])
        yield from (some[pk] for pk in numbers[start : start + BATCH] if pk in some)


def json(
    conversations: Iterable[Conversation], preferences: Preferences | None = None
) -> Iterator[bytes]:
    """`preferences` are those of their user, where they go with all that is theirs."""
    yield b'{"format":%b,"version":%d,' % (_encode(FORMAT), VERSION)
    if preferences is not None:
        yield b'"preferences":%b,' % _encode(of(preferences, PreferencesRow))
    yield b'"conversations":['
    for number, conversation in enumerate(conversations):
        yield b",\n" if number else b"\n"
        yield from _conversation(conversation)
    yield b"\n]}\n"


def _conversation(conversation: Conversation) -> Iterator[bytes]:
    branches = list(conversation.branches.order_by("pk"))
    numbers = {branch.pk: number for number, branch in enumerate(branches)}
    rows = [
        of(branch, BranchRow, parent=numbers[branch.parent_id] if branch.parent_id else None)
        for branch in branches
    ]
    head = _encode(of(conversation, ConversationHead))
    yield head[:-1] + b',"branches":' + _encode(rows) + b',"messages":['
    places: dict[str, list[int]] = {}
    for number, message in enumerate(_messages(conversation, numbers)):
        yield (b",\n" if number else b"\n") + _encode(_message(message, numbers))
        for file in getattr(message, "files", ()):
            places.setdefault(file["pk"], []).append(number)
    yield b'],"attachments":['
    yield from files.write(conversation, places)
    yield b"]}"


def _messages(conversation: Conversation, numbers: dict[int, int]) -> Iterator[Message]:
    """Those of the known branches, in batches, so that no cursor stays open for a slow reader."""
    last = 0
    while True:
        rows = conversation.messages.for_page().filter(pk__gt=last, branch__in=numbers)
        batch = list(rows.defer("html").order_by("pk")[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1].pk


def _message(message: Message, numbers: dict[int, int]) -> MessageRow:
    reply = getattr(message, "reply", None)
    return of(
        message,
        MessageRow,
        branch=numbers[message.branch_id],
        reply=_reply(reply) if reply else None,
    )


def _reply(reply: Reply) -> ReplyRow:
    status = Status.STOPPED if reply.status in OPEN else reply.status
    runs = [_tool_run(run) for run in reply.tool_runs.all()]
    return of(reply, ReplyRow, status=status, tool_runs=runs)


def _tool_run(run: ToolRun) -> ToolRunRow:
    open_ones = (Permission.ASKED, Permission.GIVEN)
    permission = Permission.REFUSED if run.permission in open_ones else run.permission
    return of(run, ToolRunRow, permission=permission)
