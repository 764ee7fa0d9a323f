"""Which version of a message a conversation shows."""

from __future__ import annotations

from django.db import transaction

from conversations import exchanges, windows
from conversations.models import Conversation, Message


def show(conversation: Conversation, branch: int, place: int) -> Message:
    """Shows the version at `place` that is in `branch`, with what followed it when last shown.

    Raises Message.DoesNotExist where there is none.
    """
    with transaction.atomic():
        exchanges.lock(conversation)
        message = conversation.messages.get(branch=branch, place=place)
        windows.latest_branch(message).show()
        exchanges.changed(conversation, message, place)
    return message
