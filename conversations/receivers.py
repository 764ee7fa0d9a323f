"""Cached pages are forgotten when a row is saved or deleted, by whoever: page, admin or shell.

Changes by QuerySet.update() send no signal; those who make them forget by themselves.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from conversations.models import Conversation, Message
from performance.cache import conversation_cache


@receiver([post_save, post_delete], sender=Conversation)
def forget_conversation(instance: Conversation, **_kwargs: Any) -> None:
    conversation_cache.forget(instance.user_id, instance.pk)


@receiver(post_delete, sender=Message)
def forget_message(instance: Message, origin: Any = None, **_kwargs: Any) -> None:
    # With its conversation it goes by the thousand, and the conversation itself is forgotten once.
    if isinstance(origin, Message):
        forget_conversation(instance.conversation)
