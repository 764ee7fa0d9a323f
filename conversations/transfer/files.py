"""Attached files in the JSON file: their bytes as base64, a part at a time, and back as if uploaded anew."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from django.core.files.uploadedfile import SimpleUploadedFile

from conversations import attachments
from conversations.models import Attachment, Conversation, Message
from conversations.transfer.rows import AttachmentHead, AttachmentRow, of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PART = 3 * 2**16  # bytes; a multiple of 3, so that the parts' base64 is that of the whole


def write(conversation: Conversation, places: dict[str, list[int]]) -> Iterator[bytes]:
    """The conversation's files that `places` names; it says which messages, by their numbers in the file."""
    own = conversation.attachments.filter(pk__in=places).in_order()
    for number, attachment in enumerate(own):
        head = of(attachment, AttachmentHead, messages=places[str(attachment.pk)])
        yield (b",\n" if number else b"\n") + msgspec.json.encode(head)[:-1] + b',"data":"'
        yield from _parts(attachment)
        yield b'"}'


def _parts(attachment: Attachment) -> Iterator[bytes]:
    """Nothing of a file that is lost, or was removed because it might do harm."""
    if not attachment.file:
        return
    try:
        with attachment.file.open("rb") as file:
            while part := file.read(PART):
                yield base64.b64encode(part)
    except FileNotFoundError:
        return


def read(
    user: User,
    conversation: Conversation,
    rows: Sequence[AttachmentRow],
    messages: list[Message],
    on_file: Callable[[Attachment], object],
) -> None:
    """Stores the files, within the limits of uploads, each told to `on_file`. Raises attachments.Refused.

    Where one is refused, none of the others stays in the storage: their rows are rolled back, so nothing counts them.
    """
    stored: list[Attachment] = []
    try:
        _store(user, conversation, rows, messages, stored)
    except BaseException:
        for attachment in stored:
            attachment.file.delete(save=False)
        raise
    for attachment in stored:
        on_file(attachment)


def _store(
    user: User,
    conversation: Conversation,
    rows: Sequence[AttachmentRow],
    messages: list[Message],
    stored: list[Attachment],
) -> None:
    """Adds each to `stored` as soon as it is."""
    for row in rows:
        if not row.data:
            continue
        found = attachments.store(user, SimpleUploadedFile(row.name, row.data))
        stored.append(found)
        found.conversation, found.created_at = conversation, row.created_at
        found.save(update_fields=["conversation", "created_at"])
        found.messages.add(*(messages[number] for number in row.messages))
