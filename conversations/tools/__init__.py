"""The public door to the assistant's tools. One file a tool; see `tool` for how to write one."""

from __future__ import annotations

from conversations.tools.base import Tool, ToolContext, ToolError, tool
from conversations.tools.calls import ToolResult, every, exact, get, problem, run, specs

__all__ = [
    "Tool",
    "ToolContext",
    "ToolError",
    "ToolResult",
    "every",
    "exact",
    "get",
    "problem",
    "run",
    "specs",
    "tool",
]
