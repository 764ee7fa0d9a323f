"""The end of a conversation: its rows, its events, and what caches hold of it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from conversations import quotas, streams
from conversations.models import Conversation, Reply, Status
from performance.cache import ai_response_cache

BATCH = 500


def delete(conversation: Conversation) -> None:
    """Deletes it for good. An answer that is being written stops, so that nothing is told of it later."""
    pk, user_id, was_kept = conversation.pk, conversation.user_id, not conversation.temporary
    unfinished = list(Reply.objects.live().filter(message__conversation=pk))
    conversation.delete()
    for reply in unfinished:
        if reply.status == Status.RUNNING:
            streams.request_stop(reply.message_id, reply.attempt)  # its worker settles what it took
        else:
            quotas.settle(user_id, reply.pk)
    streams.forget(pk)
    if was_kept:  # a temporary one has put no answer there
        ai_response_cache.clear(user=user_id)


def delete_expired() -> int:
    """Deletes the temporary conversations that nobody has written in for TEMPORARY_HOURS."""
    since = timezone.now() - timedelta(hours=settings.TEMPORARY_HOURS)
    old = Conversation.objects.filter(temporary=True, last_message_at__lt=since)
    count = 0
    for pk in list(old.values_list("pk", flat=True)[:BATCH]):
        if conversation := old.filter(pk=pk).first():  # unless somebody has written there since
            delete(conversation)
            count += 1
    return count
