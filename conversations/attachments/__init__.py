"""Files that users attach: kept, read in a process of their own, quoted to the assistant."""

from __future__ import annotations

from conversations.attachments.limits import Limits, limits
from conversations.attachments.problems import Refused, explanation, too_many
from conversations.attachments.reading import read
from conversations.attachments.removing import remove_file, remove_orphans
from conversations.attachments.storing import send, store

__all__ = [
    "Limits",
    "Refused",
    "explanation",
    "limits",
    "read",
    "remove_file",
    "remove_orphans",
    "send",
    "store",
    "too_many",
]
