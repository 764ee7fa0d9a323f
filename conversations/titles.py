"""The name that a conversation gets by itself, once its first answer is there."""

from __future__ import annotations

import structlog
from asgiref.sync import sync_to_async

from conversations import streams, windows
from conversations.ai import chat_backends
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
    try:
        backend = chat_backends[answer.reply.backend]
        title = await backend.title(question, answer.text, answer.reply.model)
    except ChatBackendError as error:
        logger.warning("no_title", code=error.code)  # its first words stay its name
        return
    if title:
        await sync_to_async(_name)(answer, title[:TITLE_LENGTH])


def _question(answer: Message) -> str:
    return "".join(message.text for message in windows.before(answer, 1))


def _name(answer: Message, title: str) -> None:
    conversation = answer.conversation
    if conversation.suggest_title(title):
        conversation_cache.forget(conversation.user_id, conversation.pk)
        streams.announce(conversation.pk, "title", t=conversation.name)
