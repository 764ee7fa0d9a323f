"""The chat in the admin: staff see what happened and when, and not what was said."""

from __future__ import annotations

from conversations.admin.account_deletions import AccountDeletionAdmin
from conversations.admin.attachments import AttachmentAdmin
from conversations.admin.branches import BranchAdmin
from conversations.admin.conversations import ConversationAdmin
from conversations.admin.imports import ImportAdmin
from conversations.admin.messages import MessageAdmin
from conversations.admin.models import ChatModelAdmin
from conversations.admin.preferences import PreferencesAdmin
from conversations.admin.quotas import QuotaAdmin, StaffChangeAdmin
from conversations.admin.ratings import RatingAdmin
from conversations.admin.replies import ReplyAdmin
from conversations.admin.share_links import ShareLinkAdmin, SharingPolicyAdmin
from conversations.admin.support_access import SupportAccessAdmin, SupportAccessEventAdmin
from conversations.admin.system_prompts import SystemPromptAdmin
from conversations.admin.tool_runs import ToolRunAdmin
from conversations.admin.tools import ToolSwitchAdmin
from conversations.admin.usage import DailyUsageAdmin

__all__ = [
    "AccountDeletionAdmin",
    "AttachmentAdmin",
    "BranchAdmin",
    "ChatModelAdmin",
    "ConversationAdmin",
    "DailyUsageAdmin",
    "ImportAdmin",
    "MessageAdmin",
    "PreferencesAdmin",
    "QuotaAdmin",
    "RatingAdmin",
    "ReplyAdmin",
    "ShareLinkAdmin",
    "SharingPolicyAdmin",
    "StaffChangeAdmin",
    "SupportAccessAdmin",
    "SupportAccessEventAdmin",
    "SystemPromptAdmin",
    "ToolRunAdmin",
    "ToolSwitchAdmin",
]
