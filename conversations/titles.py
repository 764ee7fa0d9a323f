"""The name that a conversation gets by itself, once its first answer is there."""

from __future__ import annotations

import structlog
from asgiref.sync import sync_to_async
from django.db import transaction

from conversations import quotas, spent, streams, windows
from conversations.ai import ChatBackend, chat_backends
from conversations.ai.base import Usage
from conversations.ai.exceptions import ChatBackendError
from conversations.models import TITLE_LENGTH, Message
from performance.cache import conversation_cache

logger = structlog.get_logger(__name__)


async def suggest(message_id: int) -> None:
    """Asks the backend that wrote answer `message_id` for a title. One that was chosen stays."""
    answers = Message.objects.select_related("reply", "conversation")
    answer = await answers.filter(pk=message_id, conversation__title_is_chosen=False).afirst()
    if answer is None:
        return
    question = await sync_to_async(_question)(answer)
    used: list[Usage] = []
    try:
        backend = chat_backends[answer.reply.backend]
        title = await backend.title(question, answer.text, answer.reply.model, used)
    except ChatBackendError as error:
        logger.warning("no_title", code=error.code)  # its first words stay its name
        return
    for usage in used:
        await sync_to_async(_count)(answer, backend, usage)
    if title:
        await sync_to_async(_name)(answer, title[:TITLE_LENGTH])


def _question(answer: Message) -> str:
    return "".join(message.text for message in windows.before(answer, 1))


def _count(answer: Message, backend: ChatBackend, usage: Usage) -> None:
    """In the sums of its user, and against their quotas: no answer, but it took what it took."""
    conversation, model = answer.conversation, answer.reply.model or backend.model
    price = backend.price_for(model)
    counts = usage.input_tokens, usage.output_tokens, usage.cached_tokens
    made = spent.entry(spent.Spent.now(price, *counts, estimated=False))
    with transaction.atomic():
        spent.enter(spent.Payer(conversation.user_id, conversation.pk, backend, model), price, made)
    quotas.settle(conversation.user_id, answer.reply.pk, made, keep=True)
    conversation_cache.forget(conversation.user_id, conversation.pk)


def _name(answer: Message, title: str) -> None:
    conversation = answer.conversation
    if conversation.suggest_title(title):
        conversation_cache.forget(conversation.user_id, conversation.pk)
        streams.announce(conversation.pk, "title", t=conversation.name)
