"""The one orchestrator: model and tools take turns until the answer stands.

An attempt claims the reply, streams, leaves a checkpoint every two seconds, and writes the end once.
Every write is guarded by the attempt's number: a worker that was thought dead changes nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from conversations import answers, attempts, measuring, tool_calls, tools
from conversations.ai.base import ChatRequest, Finish, Text, ToolCall, Turn, Usage
from conversations.ai.exceptions import ChatBackendError
from conversations.attempts import Attempt
from conversations.models import Status
from conversations.streams import ReplyStream, announce, open_stream
from conversations.streams.writer import FrameWriter
from performance import tracing

logger = structlog.get_logger(__name__)

CHECKPOINT = 2.0  # seconds
ROUNDS = 8  # of tool calls in one answer
ANSWER_LENGTH = 200_000
PATIENCE = 60.0  # seconds to wait for a database that is away when the answer is ready


class TooManyRounds(ChatBackendError):
    code = "tool_rounds"
    explanation = f"The assistant called tools {ROUNDS} times in a row without answering."
    retryable = True


class EmptyAnswer(ChatBackendError):
    code = "empty"
    explanation = (
        "The assistant ended without an answer. You can try again, perhaps in other words."
    )


class CutShort(ChatBackendError):
    code = "cut_short"
    explanation = (
        "The assistant's server cut the answer short. What was written is kept; you can try again."
    )


class AnswerTooLong(ChatBackendError):
    code = "too_long"
    explanation = "The answer grew longer than this site keeps. What was written is kept."
    retryable = False


class PermissionNeeded(Exception):
    """A tool that acts was called: the user decides, and another attempt goes on from here."""


async def write(reply_id: int, number: int) -> Attempt | None:
    """Makes attempt `number` at the reply. None where that attempt is not to be had."""
    attempt = await sync_to_async(attempts.begin)(reply_id, number)
    if attempt is None:
        return None
    with structlog.contextvars.bound_contextvars(
        reply=reply_id, attempt=number, correlation_id=attempt.reply.correlation_id
    ):
        await _run(attempt)
    return attempt


async def _run(attempt: Attempt) -> None:
    work = asyncio.create_task(_nothing())
    conversation_id, message_id = attempt.message.conversation_id, attempt.message.pk

    def on_stop() -> None:
        work.cancel()

    async with open_stream(conversation_id, message_id, attempt.number, on_stop) as (out, writer):
        out.text(attempt.begun)
        work = asyncio.create_task(_answer(attempt, out, writer))
        beat = asyncio.create_task(_keep_checkpoints(attempt, out))
        try:
            status = await _outcome(attempt, work, out)
        finally:
            await _cancelled(work, beat)
        if attempt.text and out.published_at is None:
            await writer.flush()
        attempt.published_at = out.published_at
        if await _finish(attempt, status):
            measuring.ended(attempt, status)
            out.done(status)


async def _nothing() -> None:
    """Stands for the work until it begins."""


async def _outcome(attempt: Attempt, work: asyncio.Task[None], out: ReplyStream) -> Status:
    """How the work ended. Named errors become words for the user; a shutdown hands the reply back."""
    try:
        await work
    except asyncio.CancelledError:
        if out.stopped:
            return Status.STOPPED
        await asyncio.shield(sync_to_async(_hand_back)(attempt))
        raise
    except PermissionNeeded:
        return Status.ASKING
    except ChatBackendError as error:
        logger.warning("reply_failed", code=error.code, error=str(error))
        attempt.outcome = {"error": error.code, "explanation": error.explanation}
        return Status.FAILED
    except Exception:
        logger.exception("reply_failed")
        attempt.outcome = attempts.INTERNAL
        return Status.FAILED
    return Status.COMPLETE


def _hand_back(attempt: Attempt) -> None:
    attempts.hand_back(attempt)
    announce(attempt.message.conversation_id, "state", m=attempt.message.pk)


async def _answer(attempt: Attempt, out: ReplyStream, writer: FrameWriter) -> None:
    """An earlier answer, or rounds of model and tools until a round asks for no tool."""
    question = _request(attempt)
    earlier = await answers.reuse(attempt, question)
    if earlier is not None:
        _take_text(attempt, earlier, out, writer)
        return
    await tool_calls.resume(attempt, out)
    for _ in range(ROUNDS):
        calls = await _round(attempt, out, writer)
        if not calls:
            _refuse_nothing(attempt)
            await answers.keep(attempt, question)
            return
        results = [await tool_calls.call(attempt, asked, out) for asked in calls]
        if None in results:
            attempt.outcome = attempts.asking(attempt)
            raise PermissionNeeded
        attempt.turns += filter(None, results)
    raise TooManyRounds


def _refuse_nothing(attempt: Attempt) -> None:
    if not attempt.text.strip():
        raise EmptyAnswer
    if attempt.finish_reason in {"length", "content_filter"}:
        raise CutShort


def _request(attempt: Attempt) -> ChatRequest:
    return ChatRequest(
        turns=tuple(attempt.turns),
        system=settings.SYSTEM_PROMPT,
        tools=tools.specs(),
        begun=attempt.begun if attempt.reply.continues else "",
    )


async def _round(attempt: Attempt, out: ReplyStream, writer: FrameWriter) -> list[ToolCall]:
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
    # aclosing: a stop must close the provider's connection now, not at some garbage collection.
    async with aclosing(attempt.backend.stream(_request(attempt))) as events:
        async for event in events:
            attempt.first_event_at = attempt.first_event_at or timezone.now()
            match event:
                case Text(text):
                    apart = "\n\n" if _is_apart(attempt, before) else ""
                    _take_text(attempt, apart + text, out, writer)
                case ToolCall():
                    calls.append(_readable(event))
                case Usage(input_tokens, output_tokens):
                    attempt.input_tokens += input_tokens
                    attempt.output_tokens += output_tokens
                case Finish(reason):
                    attempt.finish_reason = reason
                    break


def _is_apart(attempt: Attempt, before: int) -> bool:
    """Whether this is the first text after a tool's results: but an interrupted answer goes right on."""
    goes_on = attempt.reply.continues and before == len(attempt.begun)
    return bool(before) and len(attempt.text) == before and not goes_on


def _readable(call: ToolCall) -> ToolCall:
    return ToolCall(call.id, _storable(call.name), _storable(call.arguments))


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and JSON carries no lone surrogate."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _take_text(attempt: Attempt, text: str, out: ReplyStream, writer: FrameWriter) -> None:
    text = _storable(text)
    if len(attempt.text) + len(text) > ANSWER_LENGTH:
        raise AnswerTooLong
    attempt.text += text
    out.text(text)
    if attempt.first_text_at is None:
        attempt.first_text_at = timezone.now()
        writer.wake()


async def _keep_checkpoints(attempt: Attempt, out: ReplyStream) -> None:
    """Every two seconds: the text so far, a sign of life, and a look at the stop button."""
    while True:
        try:
            stop = not await sync_to_async(attempts.checkpoint)(attempt, out.start_id)
        except (OperationalError, InterfaceError) as error:
            logger.warning("checkpoint_failed", error=type(error).__name__)
        else:
            if stop:
                out.stop()
                return
        await asyncio.sleep(CHECKPOINT if out.start_id else CHECKPOINT / 10)


async def _finish(attempt: Attempt, status: Status) -> bool:
    """Writes the end, waiting for a database that is away. False where a newer attempt took over."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    pause = 0.5
    while True:
        try:
            return await sync_to_async(attempts.end)(attempt, status)
        except DatabaseError as error:
            if not isinstance(error, OperationalError | InterfaceError):
                logger.exception("reply_not_stored")
                return await sync_to_async(attempts.fail)(attempt)
            if asyncio.get_running_loop().time() + pause > deadline:
                raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 8)


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for one in tasks:
        one.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await one
