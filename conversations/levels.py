"""The level at which a reply is queued: who waits for it, and whether they have an answer already."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser

from conversations.models import Reply
from performance.queues import Level

NAMES = ("REPLY_LEVEL", "REGENERATE_LEVEL", "PRIORITY_LEVEL")


def level_of(reply: Reply) -> Level:
    """PRIORITY_LEVEL for those it is for; else REGENERATE_LEVEL for another answer to the same question."""
    if settings.PRIORITY_LEVEL and _comes_first(reply.message.conversation.user):
        return Level(settings.PRIORITY_LEVEL)
    return Level(settings.REGENERATE_LEVEL if reply.fresh else settings.REPLY_LEVEL)


def _comes_first(user: AbstractUser) -> bool:
    """Staff, and members of PRIORITY_GROUP, which costs a query where it is set and the groups are not there."""
    if user.is_staff or not settings.PRIORITY_GROUP:
        return user.is_staff
    return any(group.name == settings.PRIORITY_GROUP for group in user.groups.all())
