"""What the Guide may do about a question: say something, or use tools first."""

from __future__ import annotations

from typing import Any

import msgspec

from conversations.ai.base import ToolCall


class Say(msgspec.Struct, frozen=True):
    """Markdown; its blocks are parted by empty lines."""

    text: str


class Call(msgspec.Struct, frozen=True):
    tool: str
    arguments: dict[str, Any]

    def numbered(self, number: int) -> ToolCall:
        return ToolCall(f"guide_{number}", self.tool, msgspec.json.encode(self.arguments).decode())


class Use(msgspec.Struct, frozen=True):
    """`focus` is what the question asked of the result: weeks, weekday, letters, ..."""

    calls: tuple[Call, ...]
    focus: str = ""


Plan = Say | Use


def use(tool: str, /, focus: str = "", **arguments: Any) -> Use:
    return Use((Call(tool, arguments),), focus)
