"""The one orchestrator: model and tools take turns until the answer stands.

An attempt claims the reply, streams, leaves a checkpoint every two seconds, and writes the end once.
Every write is guarded by the attempt's number: a worker that was thought dead changes nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from asgiref.sync import sync_to_async
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.translation import gettext_noop

from conversations import answers, attempts, measuring, rounds, tool_calls
from conversations.ai.exceptions import ChatBackendError
from conversations.attempts import Attempt
from conversations.models import Status
from conversations.streams import ReplyStream, announce, forget, open_stream
from conversations.streams.writer import FrameWriter

logger = structlog.get_logger(__name__)

CHECKPOINT = 2.0  # seconds
FIRST_CHECKPOINT = 0.2  # from then on a page that opens late knows where the answer's frames begin
ROUNDS = 8  # of tool calls in one answer
PATIENCE = 60.0  # seconds to wait for a database that is away when the answer is ready


class TooManyRounds(ChatBackendError):
    code = "tool_rounds"
    explanation = gettext_noop("The assistant called tools again and again without answering.")
    retryable = True


class EmptyAnswer(ChatBackendError):
    code = "empty"
    explanation = gettext_noop(
        "The assistant ended without an answer. You can try again, perhaps in other words."
    )


class CutShort(ChatBackendError):
    code = "cut_short"
    explanation = gettext_noop(
        "The assistant's server cut the answer short. What was written is kept; you can continue it."
    )


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
            await writer.push()
        attempt.published_at, attempt.frames = out.published_at, out.made()
        is_written = await _finish(attempt, status)
        if is_written or attempt.deleted:
            measuring.ended(attempt, status)
        if is_written:
            out.done(status)
    if attempt.deleted:  # what was written since then has come after it
        await sync_to_async(forget)(conversation_id)


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
    await rounds.bring_files(attempt)
    question = rounds.request(attempt)
    earlier = await answers.reuse(attempt, question)
    if earlier is not None:
        rounds.take_text(attempt, earlier, out, writer)
        return
    await tool_calls.resume(attempt, out)
    for _ in range(ROUNDS):
        calls = await rounds.play(attempt, out, writer)
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


async def _keep_checkpoints(attempt: Attempt, out: ReplyStream) -> None:
    """Every two seconds: the text so far, a sign of life, and a look at the stop button.

    Not at once: the claim has just said that it lives, and the first words have the right of way.
    """
    await attempts.forget_pending(attempt)
    pause = FIRST_CHECKPOINT
    while True:
        await asyncio.sleep(pause)
        start = out.start_id
        # Without Redis it begins nowhere: nobody looks for that five times a second all along.
        pause = CHECKPOINT if start else min(2 * pause, CHECKPOINT)
        try:
            stop = not await sync_to_async(attempts.checkpoint)(attempt, start)
        except (OperationalError, InterfaceError) as error:
            logger.warning("checkpoint_failed", error=type(error).__name__)
        else:
            if stop:
                out.stop()
                return


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
