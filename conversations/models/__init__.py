"""Conversations, their branches, messages, replies and tool runs."""

from __future__ import annotations

from conversations.models.branches import Branch
from conversations.models.conversations import TITLE_LENGTH, Conversation
from conversations.models.messages import TEXT_LENGTH, Message, Role
from conversations.models.replies import LIVE, Reply, Status
from conversations.models.tool_runs import ToolRun

__all__ = [
    "LIVE",
    "TEXT_LENGTH",
    "TITLE_LENGTH",
    "Branch",
    "Conversation",
    "Message",
    "Reply",
    "Role",
    "Status",
    "ToolRun",
]
