"""ChatGPT's export, read into conversations: conversations.json, or the zip that holds it."""

from __future__ import annotations

from conversations.chatgpt.problems import explanation, left
from conversations.chatgpt.reading import Unreadable, conversations, count, is_export
from conversations.chatgpt.storing import Outcome, take

__all__ = [
    "Outcome",
    "Unreadable",
    "conversations",
    "count",
    "explanation",
    "is_export",
    "left",
    "take",
]
