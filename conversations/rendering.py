"""The stored HTML of messages, made anew where an earlier version of the renderer made it."""

from __future__ import annotations

from collections.abc import Iterable

from conversations import markdown
from conversations.models import Message, Role


def current(messages: Iterable[Message]) -> list[Message]:
    """The messages with HTML of this version, which is stored for the next reader."""
    found = list(messages)
    old = [message for message in found if message.renderer < markdown.RENDERER and message.text]
    for message in old:
        message.html = markdown.render(message.text, breaks=message.role == Role.USER)
        message.renderer = markdown.RENDERER
    if old:
        # What a worker has written meanwhile is of this version already, and stays.
        unchanged = Message.objects.filter(renderer__lt=markdown.RENDERER)
        unchanged.bulk_update(old, ["html", "renderer"])
    return found
