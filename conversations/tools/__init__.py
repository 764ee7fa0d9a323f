"""The public door to the assistant's tools. One file a tool; see `tool` for how to write one."""

from __future__ import annotations

from conversations.tools.base import Tool, ToolContext, ToolError, tool
from conversations.tools.calls import ToolResult, exact, get, problem, run, specs

__all__ = [
    "Tool",
    "ToolContext",
    "ToolError",
    "ToolResult",
    "exact",
    "get",
    "problem",
    "run",
    "specs",
    "tool",
]
