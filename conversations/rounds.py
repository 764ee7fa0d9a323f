"""One round of an answer: the backend is told all turns, says something, perhaps asks for tools."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from asgiref.sync import sync_to_async
from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations import attempts, tools
from conversations.ai.base import ChatRequest, Finish, Text, ToolCall, Turn, Waiting
from conversations.ai.exceptions import ChatBackendError
from conversations.attachments import limits
from conversations.attempts import Attempt
from conversations.metering import Meter
from conversations.streams import ReplyStream
from conversations.streams.writer import FrameWriter
from performance import tracing

ANSWER_LENGTH = 200_000
LOOK = 0.25  # seconds between two looks at files that are being read


class AnswerTooLong(ChatBackendError):
    code = "too_long"
    explanation = gettext_noop(
        "The answer grew longer than this site keeps. What was written is kept."
    )
    retryable = False


async def bring_files(attempt: Attempt) -> None:
    """Tells the turns of their files. Waits for those that are being read, but not for ever."""
    if not attempt.has_files:
        return
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits().wait
    while not await sync_to_async(attempts.bring_files)(attempt, patient=loop.time() < deadline):
        await asyncio.sleep(LOOK)


def request(attempt: Attempt) -> ChatRequest:
    """All that the backend is told now."""
    return ChatRequest(
        turns=tuple(attempt.turns),
        system=attempt.system,
        tools=tools.specs(attempt.off),
        begun=attempt.begun if attempt.reply.continues else "",
        model=attempt.model,
    )


async def play(attempt: Attempt, out: ReplyStream, writer: FrameWriter) -> list[ToolCall]:
    """Lets the backend say its part. Returns the tools that it asks for; none means it is done."""
    calls: list[ToolCall] = []
    before = len(attempt.text)
    used = attempt.input_tokens, attempt.output_tokens
    alias = attempt.backend.alias
    names = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": alias}
    with tracing.span(f"chat {alias}", names, kind="client") as span:
        await _listen(attempt, out, writer, calls)
        tokens = {
            "gen_ai.usage.input_tokens": attempt.input_tokens - used[0],
            "gen_ai.usage.output_tokens": attempt.output_tokens - used[1],
        }
        span.set(tokens)
    if calls:
        said = attempt.text[before:].strip()
        attempt.turns.append(Turn("assistant", said, tool_calls=tuple(calls)))
    return calls


async def _listen(
    attempt: Attempt, out: ReplyStream, writer: FrameWriter, calls: list[ToolCall]
) -> None:
    """Takes what the backend says until it has finished; tools that it asks for go to `calls`."""
    before = len(attempt.text)
    attempt.asked_at = attempt.asked_at or timezone.now()
    asked = request(attempt)
    meter = Meter(attempt, asked)
    # aclosing: a stop must close the provider's connection now, not at some garbage collection.
    with meter:
        async with aclosing(attempt.backend.stream(asked)) as events:
            async for event in events:
                if isinstance(event, Waiting):
                    await _hold(attempt, event.seconds, out)
                    continue
                attempt.first_event_at = attempt.first_event_at or timezone.now()
                meter.take(event)
                match event:
                    case Text(text):
                        apart = "\n\n" if _is_apart(attempt, before) else ""
                        take_text(attempt, apart + text, out, writer)
                    case ToolCall():
                        calls.append(_readable(event))
                    case Finish(reason):
                        attempt.finish_reason = reason
                        break


async def _hold(attempt: Attempt, seconds: float, out: ReplyStream) -> None:
    """Shows that the provider's limits hold the answer up: to who watches, and to who comes later."""
    out.held(seconds)
    await sync_to_async(attempts.hold)(attempt, seconds)


def _is_apart(attempt: Attempt, before: int) -> bool:
    """Whether this is the first text after a tool's results: but an interrupted answer goes right on."""
    goes_on = attempt.reply.continues and before == len(attempt.begun)
    return bool(before) and len(attempt.text) == before and not goes_on


def _readable(call: ToolCall) -> ToolCall:
    return ToolCall(call.id, _storable(call.name), _storable(call.arguments))


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and JSON carries no lone surrogate."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def take_text(attempt: Attempt, text: str, out: ReplyStream, writer: FrameWriter) -> None:
    """Adds to the answer and shows it. Raises AnswerTooLong."""
    text = _storable(text)
    if len(attempt.text) + len(text) > ANSWER_LENGTH:
        raise AnswerTooLong
    attempt.text += text
    out.text(text)
    if attempt.first_text_at is None:
        attempt.first_text_at = timezone.now()
        writer.wake()
