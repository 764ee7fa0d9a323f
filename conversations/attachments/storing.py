"""Uploads: checked, counted, stored; and sent with a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from conversations.attachments import kinds
from conversations.attachments.limits import Limits, limits
from conversations.attachments.problems import Refused, no_room, too_large
from conversations.models import Attachment, Message
from conversations.models.attachments import LEAST

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def store(user: User, file: UploadedFile[Any]) -> Attachment:
    """Keeps the file as one that is not sent yet. The caller has it read. Raises Refused."""
    bounds = limits()
    size = file.size or 0
    if size > bounds.file_bytes:
        raise too_large(bounds.file_mb)
    if not size:
        raise Refused("empty")
    name = kinds.clean_name(file.name or "")
    kind, media_type = kinds.detect(file, name)
    _refuse_over(user, size, bounds)
    file.seek(0)
    attachment = Attachment(user=user, name=name, kind=kind, media_type=media_type, size=size)
    attachment.file.save("", file, save=False)  # before the lock below: a storage may be far away
    try:
        with transaction.atomic():
            # Two uploads at once take turns here, so that they cannot both take the last room.
            get_user_model().objects.select_for_update().only("pk").get(pk=user.pk)
            _refuse_over(user, size, bounds)
            attachment.save()
    except BaseException:
        attachment.file.delete(save=False)
        raise
    return attachment


def _refuse_over(user: User, size: int, bounds: Limits) -> None:
    if user.attachments.bytes() + max(size, LEAST) > bounds.user_bytes:
        raise no_room(bounds.user_mb)


def send(message: Message, user_id: int, wanted: Sequence[UUID]) -> None:
    """Gives the message those of the user's files. Raises Refused where one of them is not to be had.

    The caller holds the lock on the conversation, so no two messages take one file.
    """
    if not wanted:
        return
    own = Attachment.objects.filter(user=user_id, pk__in=wanted).select_for_update().in_order()
    found = [one for one in own if one.conversation_id in {None, message.conversation_id}]
    if len(found) != len(set(wanted)):
        raise Refused("gone")
    _place(message, found)


def _place(message: Message, files: Sequence[Attachment]) -> None:
    others = message.conversation.attachments.exclude(pk__in=[one.pk for one in files])
    taken = set(others.values_list("name", flat=True))
    for one in files:
        if one.conversation_id is None:
            one.name = kinds.numbered(one.name, taken)
            one.conversation_id = message.conversation_id
            one.save(update_fields=["name", "conversation"])
        taken.add(one.name)
    message.attachments.add(*files)  # type: ignore[attr-defined]
