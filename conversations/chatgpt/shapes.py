"""The shapes of ChatGPT's export that matter here; all else in it is passed over.

Nobody promises these shapes. What may be missing is optional, and the content of a message stays as it is:
its kinds change without notice (conversations.chatgpt.contents).
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Author(Struct):
    role: str
    name: str | None = None


class Metadata(Struct):
    model_slug: str | None = None
    is_visually_hidden_from_conversation: bool = False
    is_user_system_message: bool = False


class ExportedMessage(Struct):
    author: Author
    content: dict[str, Any]
    create_time: float | None = None
    metadata: Metadata | None = None


class Node(Struct):
    """`parent` and `children` name other nodes of the mapping."""

    message: ExportedMessage | None = None
    parent: str | None = None
    children: list[str] = []


class ExportedConversation(Struct):
    mapping: dict[str, Node]
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    current_node: str | None = None
    conversation_id: str | None = None
    id: str | None = None
    is_archived: bool | None = None

    @property
    def number(self) -> str:
        """What tells it from others, in this export and in the next one; "" where nothing does."""
        return self.conversation_id or self.id or ""
