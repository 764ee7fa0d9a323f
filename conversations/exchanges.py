"""Rows of a question and its answer, written under the conversation's lock."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from conversations import attachments, markdown, quotas, streams
from conversations.ai import offers
from conversations.models import Branch, Conversation, Message, Reply, Role
from conversations.tasks import enqueue_reply
from performance.cache import conversation_cache


def lock(conversation: Conversation) -> None:
    """Makes two tabs that act at once take turns. Raises Conversation.DoesNotExist if it was deleted."""
    # By itself: what a locking SELECT reads of other tables is as old as its wait for the lock.
    Conversation.objects.select_for_update().only("pk").get(pk=conversation.pk)


def touch(conversation: Conversation) -> None:
    """As `lock`, and the conversation is the newest of its user's: one UPDATE does both."""
    own = Conversation.objects.filter(pk=conversation.pk)
    if not own.update(last_message_at=timezone.now()):
        raise Conversation.DoesNotExist


def ask(branch: Branch, text: str, key: UUID, attached: Sequence[UUID] = ()) -> Message:
    """A user's message at the end of the branch, and an answer after it that a worker is to write.

    Raises attachments.Refused where one of `attached` is not to be had.
    """
    message = Message(
        role=Role.USER,
        text=text,
        html=markdown.render(text, breaks=True),
        renderer=markdown.RENDERER,
        idempotency_key=key,
    )
    answer(branch, message, attached=attached)
    return message


def answer(
    branch: Branch,
    *question: Message,
    attached: Sequence[UUID] = (),
    fresh: bool = False,
    model: str = "",
) -> Message:
    """An answer to be written at the end of the branch, after `question` where that is new as well.

    `attached` are the question's files. `model` is the key of an offer (conversations.ai.offers), in
    place of the conversation's own.
    """
    message = Message(role=Role.ASSISTANT)
    branch.append(*question, message)
    for one in question:
        attachments.send(one, branch.conversation.user_id, attached)
    wanted = offers.parts(model or branch.conversation.chat_model)
    reply = Reply.objects.create(
        message=message, correlation_id=correlation_id(), fresh=fresh, **wanted
    )
    # After all that may refuse: no transaction takes back what Redis has reserved.
    reserve(reply, branch.conversation, "".join(one.text for one in question))
    enqueue_reply(reply)
    changed(branch.conversation, message, place=message.place - len(question))
    return message


def reserve(
    reply: Reply, conversation: Conversation, text: str = "", *, counted: bool = False
) -> None:
    """Asks the user's quotas for the answer, before any work. Raises quotas.Exceeded.

    `counted`: what was written of it is one of their messages already.
    """
    offer = offers.asked(reply.backend, reply.model) or offers.offers()[0]
    user, pk = conversation.user_id, conversation.pk
    request = quotas.Request(user, pk, reply.pk, text, offer.backend, offer.model, counted)
    quotas.reserve(request)


def release(reply: Reply) -> None:
    """Lets go of what was reserved, once the transaction that ends the reply has committed."""
    user, pk = reply.message.conversation.user_id, reply.pk
    transaction.on_commit(lambda: quotas.settle(user, pk))


def changed(conversation: Conversation, message: Message, place: int) -> None:
    """Tells the open pages that from `place` on other messages are shown, `message` among them."""
    conversation_cache.forget(conversation.user_id, conversation.pk)
    data = {"m": message.pk, "p": place}
    transaction.on_commit(lambda: streams.announce(conversation.pk, "message", **data))


def turned(reply: Reply) -> None:
    """Tells the open pages that the answer is in another state."""
    conversation, message = reply.message.conversation, reply.message_id
    conversation_cache.forget(conversation.user_id, conversation.pk)
    transaction.on_commit(lambda: streams.announce(conversation.pk, "state", m=message))


def correlation_id() -> str:
    context = structlog.contextvars.get_contextvars()
    return str(context.get("correlation_id") or context.get("request_id") or "")
