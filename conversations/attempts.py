"""The rows of one attempt at a reply: claimed, kept up to date, ended, each guarded by its number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import close_old_connections, transaction
from django.utils import timezone

from conversations import markdown, tools, windows
from conversations.ai import ChatBackend, chat_backends
from conversations.ai.base import Turn
from conversations.models import Message, Reply, Role, Status
from performance.cache import conversation_cache

logger = structlog.get_logger(__name__)

HISTORY = 100  # messages that a backend is shown
LARGEST = 2**31 - 1
INTERNAL: dict[str, object] = {
    "error": "internal",
    "explanation": "Something went wrong on this site. Your message is saved; you can try again.",
}


@dataclass
class Attempt:
    """One run at a reply: what it was given, what it has made so far."""

    reply: Reply
    number: int
    backend: ChatBackend
    turns: list[Turn]
    context: tools.ToolContext
    text: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    first_text_at: datetime | None = None
    tool_count: int = 0
    lasting: bool = True  # no tool had a part in it whose results may differ next time
    finish_reason: str = ""
    saved: str = ""
    outcome: dict[str, object] = field(default_factory=dict)

    @property
    def message(self) -> Message:
        return self.reply.message


def begin(reply_id: int, number: int) -> Attempt | None:
    close_old_connections()
    if not Reply.objects.begin(reply_id, number):
        return None
    reply = Reply.objects.select_related("message__conversation").get(pk=reply_id)
    message = reply.message
    backend = chat_backends[reply.backend]
    if number > 1:
        reply.tool_runs.all().delete()
    turns = [_turn(earlier) for earlier in windows.before(message, HISTORY) if earlier.text]
    context = tools.ToolContext(
        user_id=message.conversation.user_id, conversation_id=str(message.conversation_id)
    )
    return Attempt(reply, number, backend, turns, context)


def _turn(message: Message) -> Turn:
    return Turn("assistant" if message.role == Role.ASSISTANT else "user", message.text)


def checkpoint(attempt: Attempt, stream_start: str) -> bool:
    """Saves the text so far. False when the user asked to stop or a newer attempt writes."""
    close_old_connections()
    text = attempt.text
    with transaction.atomic():
        mine = Reply.objects.filter(stop_requested=False).write(
            attempt.reply.pk, attempt.number, beat_at=timezone.now(), stream_start=stream_start
        )
        if mine and text != attempt.saved:
            _save_text(attempt, text)
    _forget(attempt)
    return mine


def end(attempt: Attempt, status: Status) -> bool:
    close_old_connections()
    with transaction.atomic():
        mine = Reply.objects.all().write(
            attempt.reply.pk,
            attempt.number,
            status=status,
            model=attempt.backend.model[:200],
            author=attempt.backend.label[:100],
            input_tokens=_count(attempt.input_tokens),
            output_tokens=_count(attempt.output_tokens),
            first_text_at=attempt.first_text_at,
            finished_at=timezone.now(),
            **attempt.outcome,
        )
        if mine:
            _save_text(attempt, attempt.text)
    _forget(attempt)
    logger.info("reply_ended", status=str(status), written=mine, characters=len(attempt.text))
    return mine


def fail(attempt: Attempt) -> bool:
    """Ends an attempt whose figures or text the database refused, with nothing of either."""
    attempt.outcome, attempt.text = dict(INTERNAL), attempt.saved
    attempt.input_tokens = attempt.output_tokens = 0
    return end(attempt, Status.FAILED)


def _count(tokens: int) -> int | None:
    """As the column takes it: what a provider reports may be any number."""
    return min(tokens, LARGEST) if tokens > 0 else None


def hand_back(attempt: Attempt) -> None:
    """The worker is leaving: the reply waits again, and another worker begins the next attempt."""
    Reply.objects.all().write(
        attempt.reply.pk,
        attempt.number,
        status=Status.PENDING,
        pending_since=timezone.now(),
        enqueued_at=None,
    )
    _forget(attempt)


def _forget(attempt: Attempt) -> None:
    conversation = attempt.message.conversation
    conversation_cache.forget(conversation.user_id, conversation.pk)


def _save_text(attempt: Attempt, text: str) -> None:
    Message.objects.filter(pk=attempt.message.pk).update(
        text=text, html=markdown.render(text), renderer=markdown.RENDERER
    )
    attempt.saved = text
