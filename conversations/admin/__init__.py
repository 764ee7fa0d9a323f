"""The chat in the admin: what was said is read there, not edited."""

from __future__ import annotations

from conversations.admin.branches import BranchAdmin
from conversations.admin.conversations import ConversationAdmin
from conversations.admin.messages import MessageAdmin
from conversations.admin.preferences import PreferencesAdmin
from conversations.admin.replies import ReplyAdmin
from conversations.admin.tool_runs import ToolRunAdmin

__all__ = [
    "BranchAdmin",
    "ConversationAdmin",
    "MessageAdmin",
    "PreferencesAdmin",
    "ReplyAdmin",
    "ToolRunAdmin",
]
