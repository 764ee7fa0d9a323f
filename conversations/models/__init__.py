"""Conversations with their branches, messages, files and replies; what users prefer, use and rate."""

from __future__ import annotations

from conversations.models.account_deletions import AccountDeletion
from conversations.models.attachments import (
    NAME_LENGTH,
    UNREAD,
    Attachment,
    AttachmentPage,
    Kind,
    ReadingState,
    shown_files,
)
from conversations.models.branches import Branch
from conversations.models.conversations import (
    CHAT_MODEL_LENGTH,
    SYSTEM_PROMPT_LENGTH,
    TAG_LENGTH,
    TITLE_LENGTH,
    Conversation,
)
from conversations.models.imports import Import, ImportState
from conversations.models.messages import TEXT_LENGTH, Message, Role
from conversations.models.preferences import Preferences, Theme
from conversations.models.quotas import Measure, Period, Quota, StaffChange
from conversations.models.ratings import COMMENT_LENGTH, REASONS, Rating, Reason, Verdict
from conversations.models.replies import LIVE, OPEN, Reply, Status
from conversations.models.search_entries import SearchEntry
from conversations.models.share_links import ShareLink, SharingPolicy
from conversations.models.site import PROMPT_LENGTH, SitePrompt, SystemPrompt, ToolSwitch
from conversations.models.support_access import SupportAccess, SupportAccessEvent
from conversations.models.tool_runs import Permission, ToolRun
from conversations.models.usage import ChatModel, ConversationUsage, DailyUsage, Entry

__all__ = [
    "CHAT_MODEL_LENGTH",
    "COMMENT_LENGTH",
    "LIVE",
    "NAME_LENGTH",
    "OPEN",
    "PROMPT_LENGTH",
    "REASONS",
    "SYSTEM_PROMPT_LENGTH",
    "TAG_LENGTH",
    "TEXT_LENGTH",
    "TITLE_LENGTH",
    "UNREAD",
    "AccountDeletion",
    "Attachment",
    "AttachmentPage",
    "Branch",
    "ChatModel",
    "Conversation",
    "ConversationUsage",
    "DailyUsage",
    "Entry",
    "Import",
    "ImportState",
    "Kind",
    "Measure",
    "Message",
    "Period",
    "Permission",
    "Preferences",
    "Quota",
    "Rating",
    "ReadingState",
    "Reason",
    "Reply",
    "Role",
    "SearchEntry",
    "ShareLink",
    "SharingPolicy",
    "SitePrompt",
    "StaffChange",
    "Status",
    "SupportAccess",
    "SupportAccessEvent",
    "SystemPrompt",
    "Theme",
    "ToolRun",
    "ToolSwitch",
    "Verdict",
    "shown_files",
]
