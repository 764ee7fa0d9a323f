"""What a user does to a conversation: send, stop, retry. Each is one transaction, safe to repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.text import Truncator

from conversations import markdown, streams, windows
from conversations.models import (
    LIVE,
    TITLE_LENGTH,
    Branch,
    Conversation,
    Message,
    Reply,
    Role,
    Status,
)
from conversations.tasks import enqueue_reply
from performance.cache import conversation_cache

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class KeyReused(Exception):
    """The idempotency key came before with another text."""


class ReplyInProgress(Exception):
    """The conversation's last reply is still being written."""


def start(user: User, text: str, key: UUID) -> Conversation:
    """A new conversation that begins with `text`; the same call again returns the same one.

    Raises KeyReused when `key` started another conversation of this user.
    """
    try:
        with transaction.atomic():
            conversation = Conversation.objects.create(
                user=user, title=_title(text), idempotency_key=key
            )
            _add(conversation.shown_branch, text, key)
    except IntegrityError:
        conversation = Conversation.objects.get(user=user, idempotency_key=key)
        _same_or_refuse(conversation, text, key)
    return conversation


def send(conversation: Conversation, text: str, key: UUID, branch: int | None = None) -> Message:
    """The user's message, with a pending reply after it; the same call again returns the same one.

    It follows the last message of `branch`, or of the branch that is shown; that one is shown from
    then on. Raises KeyReused, ReplyInProgress while the reply that it follows is pending or running,
    or Branch.DoesNotExist.
    """
    try:
        with transaction.atomic():
            if _lock(conversation, key)[0]:
                return _same_or_refuse(conversation, text, key)
            followed = conversation.branches.get(pk=branch) if branch else conversation.shown_branch
            if Reply.objects.live().filter(message__branch=followed).exists():
                raise ReplyInProgress
            Conversation.objects.filter(pk=conversation.pk).update(last_message_at=timezone.now())
            followed.show()
            message = _add(followed, text, key)
    except IntegrityError:
        return _same_or_refuse(conversation, text, key)
    return message


def edit(message: Message, text: str, key: UUID) -> Message:
    """Another version of a user's message, on a branch of its own, with a pending reply after it.

    The same call again returns the same one. Raises KeyReused.
    """
    conversation = message.conversation
    try:
        with transaction.atomic():
            if _lock(conversation, key)[0]:
                return _same_or_refuse(conversation, text, key)
            Conversation.objects.filter(pk=conversation.pk).update(last_message_at=timezone.now())
            return _add(Branch.objects.forked(before=message), text, key)
    except IntegrityError:
        return _same_or_refuse(conversation, text, key)


def regenerate(reply: Reply) -> Message:
    """Another version of an answer, on a branch of its own; while one is being written, that one.

    The answer that is there stays, and is not asked of the cache.
    """
    old = reply.message
    with transaction.atomic():
        _lock(old.conversation)
        branches = windows.versions(old)
        live = Reply.objects.live().filter(message__branch__in=branches, message__place=old.place)
        if going := live.select_related("message").first():
            return going.message
        return _answer(Branch.objects.forked(before=old), fresh=True)


def show(conversation: Conversation, branch: int, place: int) -> None:
    """Shows the version at `place` that is in `branch`, with what followed it when last shown.

    Raises Message.DoesNotExist where there is none.
    """
    with transaction.atomic():
        _lock(conversation)
        message = conversation.messages.get(branch=branch, place=place)
        windows.latest_branch(message).show()
        conversation_cache.forget(conversation.user_id, conversation.pk)
        _announce(conversation.pk, message)


def stop(reply: Reply) -> None:
    """Ends a live reply; what is written of it stays. Does nothing to one that has ended."""
    conversation = reply.message.conversation
    with transaction.atomic():
        now = Reply.objects.select_for_update().get(pk=reply.pk)
        was = now.status
        if was == Status.PENDING:
            now.status, now.finished_at = Status.STOPPED, timezone.now()
        now.stop_requested = now.stop_requested or was in LIVE
        now.save(update_fields=["status", "finished_at", "stop_requested"])
        conversation_cache.forget(conversation.user_id, conversation.pk)
    if was == Status.PENDING:
        streams.announce(
            conversation.pk, "done", m=now.message_id, a=now.attempt, status=Status.STOPPED
        )
    elif was == Status.RUNNING:
        streams.request_stop(now.message_id, now.attempt)


def retry(reply: Reply) -> bool:
    """Asks for a new attempt at a reply that failed, was stopped, or came from the cache.

    False where it is none of these. Raises ReplyInProgress while another reply is live.
    """
    with transaction.atomic():
        if _lock(reply.message.conversation)[1]:
            raise ReplyInProgress
        unfinished = Q(status__in=[Status.FAILED, Status.STOPPED])
        again = Reply.objects.filter(unfinished | Q(cached_at__isnull=False), pk=reply.pk).update(
            status=Status.PENDING,
            pending_since=timezone.now(),
            enqueued_at=timezone.now(),
            stop_requested=False,
            fresh=True,
            cached_at=None,
            error="",
            explanation="",
            correlation_id=_correlation_id(),
        )
        if again:
            reply.refresh_from_db()
            enqueue_reply(reply)
            conversation = reply.message.conversation
            conversation_cache.forget(conversation.user_id, conversation.pk)
    return bool(again)


def _lock(conversation: Conversation, key: UUID | None = None) -> tuple[bool, bool]:
    """Makes two tabs that send at once take turns; says if `key` was there, and if a reply is live.

    Raises Conversation.DoesNotExist where it was deleted meanwhile.
    """
    # By itself: what a locking SELECT reads of other tables is as old as its wait for the lock.
    Conversation.objects.select_for_update().only("pk").get(pk=conversation.pk)
    messages = Message.objects.filter(conversation=OuterRef("pk"))
    return (
        Conversation.objects.annotate(
            repeated=Exists(messages.filter(idempotency_key=key)),
            busy=Exists(messages.filter(reply__status__in=LIVE)),
        )
        .values_list("repeated", "busy")
        .get(pk=conversation.pk)
    )


def _add(branch: Branch, text: str, key: UUID) -> Message:
    message = Message(
        role=Role.USER,
        text=text,
        html=markdown.render(text, breaks=True),
        renderer=markdown.RENDERER,
        idempotency_key=key,
    )
    _answer(branch, message)
    return message


def _answer(branch: Branch, *question: Message, fresh: bool = False) -> Message:
    """An answer to be written, at the end of the branch, after the question if that is new as well."""
    answer = Message(role=Role.ASSISTANT)
    branch.append(*question, answer)
    reply = Reply.objects.create(message=answer, correlation_id=_correlation_id(), fresh=fresh)
    enqueue_reply(reply)
    conversation = branch.conversation
    conversation_cache.forget(conversation.user_id, conversation.pk)
    _announce(conversation.pk, answer, place=answer.place - len(question))
    return answer


def _announce(conversation_id: UUID, message: Message, place: int = 0) -> None:
    """Tells the open pages that from `place` on other messages are shown, `message` among them."""
    data = {"m": message.pk, "p": place or message.place}
    transaction.on_commit(lambda: streams.announce(conversation_id, "message", **data))


def _same_or_refuse(conversation: Conversation, text: str, key: UUID) -> Message:
    message = Message.objects.get(conversation=conversation, idempotency_key=key)
    if message.text != text:
        raise KeyReused
    return message


def _title(text: str) -> str:
    first_line = text.strip().splitlines()[0] if text.strip() else ""
    return Truncator(" ".join(first_line.split())).chars(min(60, TITLE_LENGTH))


def _correlation_id() -> str:
    context = structlog.contextvars.get_contextvars()
    return str(context.get("correlation_id") or context.get("request_id") or "")
