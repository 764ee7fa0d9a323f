"""Conversations, their branches, messages, replies and tool runs; what their users prefer."""

from __future__ import annotations

from conversations.models.branches import Branch
from conversations.models.conversations import TAG_LENGTH, TITLE_LENGTH, Conversation
from conversations.models.messages import TEXT_LENGTH, Message, Role
from conversations.models.preferences import Preferences, Theme
from conversations.models.replies import LIVE, OPEN, Reply, Status
from conversations.models.search_entries import SearchEntry
from conversations.models.share_links import ShareLink, SharingPolicy
from conversations.models.tool_runs import Permission, ToolRun

__all__ = [
    "LIVE",
    "OPEN",
    "TAG_LENGTH",
    "TEXT_LENGTH",
    "TITLE_LENGTH",
    "Branch",
    "Conversation",
    "Message",
    "Permission",
    "Preferences",
    "Reply",
    "Role",
    "SearchEntry",
    "ShareLink",
    "SharingPolicy",
    "Status",
    "Theme",
    "ToolRun",
]
