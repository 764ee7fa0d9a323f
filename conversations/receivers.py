"""Cached pages are forgotten when a row is saved or deleted, by whoever: page, admin or shell.

A user's streams end when they are deactivated or change their password; chatsite.sessions ends them
when they sign out.
Changes by QuerySet.update() send no signal; those who make them forget by themselves.
"""

from __future__ import annotations

from importlib import import_module
from threading import Thread
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from conversations import attachments, streams
from conversations.ai import chat_backends
from conversations.models import (
    Attachment,
    Branch,
    Conversation,
    Import,
    Message,
    Rating,
    Reply,
    ToolRun,
)
from conversations.streams import rights_changed
from performance.cache import conversation_cache
from performance.queues.signals import worker_started


@receiver([post_save, post_delete], sender=Conversation)
def forget_conversation(instance: Conversation, **_kwargs: Any) -> None:
    conversation_cache.forget(instance.user_id, instance.pk)


@receiver(post_save, sender=Conversation)
def tell_its_name(instance: Conversation, update_fields: Any = None, **_kwargs: Any) -> None:
    """To the pages that show it, whoever has renamed it."""
    if "title" in (update_fields or ()):
        name = instance.name
        transaction.on_commit(lambda: streams.announce(instance.pk, "title", t=name))


@receiver([post_save, post_delete], sender=Message)
@receiver([post_save, post_delete], sender=Reply)
@receiver([post_save, post_delete], sender=ToolRun)
@receiver([post_save, post_delete], sender=Rating)
def forget_part(
    sender: type[Message | Reply | ToolRun | Rating],
    instance: Message | Reply | ToolRun | Rating,
    origin: Any = None,
    **_kwargs: Any,
) -> None:
    # Deleted with its conversation, it goes by the thousand: that is forgotten once, by itself.
    # Asked by its type: replies and ratings have a field `model` of their own.
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if getattr(origin, "forgotten_by_caller", False):
        return
    if origin is None or deleted in {Message, Reply, ToolRun, Rating}:
        forget_conversation(_conversation(instance))


@receiver(post_delete, sender=Attachment)
@receiver(post_delete, sender=Branch)
def forget_where_it_was(instance: Attachment | Branch, origin: Any = None, **_kwargs: Any) -> None:
    """Staff may delete either by itself. With its conversation it is forgotten once, by that."""
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted is type(instance) and instance.conversation is not None:
        forget_conversation(instance.conversation)


@receiver(post_save, sender=Attachment)
def forget_its_page(instance: Attachment, *, created: bool = False, **_kwargs: Any) -> None:
    """A file that has been read shows as such, also where it was sent while it was read."""
    sent_in = Attachment.objects.filter(pk=instance.pk, conversation__isnull=False)
    conversation_id = None if created else sent_in.values_list("conversation", flat=True).first()
    if conversation_id:
        conversation_cache.forget(instance.user_id, conversation_id)


def _conversation(instance: Message | Reply | ToolRun | Rating) -> Conversation:
    match instance:
        case Message():
            return instance.conversation
        case Reply() | Rating():
            return instance.message.conversation
        case ToolRun():
            return instance.reply.message.conversation


@receiver(post_delete, sender=Attachment)
@receiver(post_delete, sender=Import)
def remove_its_file(instance: Attachment | Import, **_kwargs: Any) -> None:
    attachments.remove_file(instance)


@receiver([post_save, post_delete], sender=get_user_model())
def end_streams(
    instance: AbstractBaseUser,
    *,
    created: bool = False,
    update_fields: frozenset[str] | None = None,
    **_kwargs: Any,
) -> None:
    if created:
        return
    # A log-in saves last_login alone.
    if update_fields is None or update_fields & {"is_active", "password"}:
        user_id = instance.pk  # a deleted instance forgets it before the commit
        transaction.on_commit(lambda: rights_changed(user_id))


@receiver(worker_started)
def prepare_assistant(**_kwargs: Any) -> None:
    """Off the worker's loop, so that the first answer need not wait and other jobs go on."""
    Thread(target=_prepare, name="prepare", daemon=True).start()


def _prepare() -> None:
    import_module("conversations.attachments.quoting")  # what a web process does without
    chat_backends["default"].prepare()
