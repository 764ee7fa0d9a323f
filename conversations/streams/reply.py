"""What one attempt at a reply says to the browsers that watch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import structlog
from django.utils import timezone

from conversations import markdown
from conversations.streams.events import encode, stream_key
from conversations.streams.writer import FrameWriter, current_writer

KEPT = 500  # frames that wait for Redis to come back: most of a minute


def utf16_length(text: str) -> int:
    """The length of `text` as JavaScript counts it: frames carry offsets that browsers compare."""
    return len(text.encode("utf-16-le")) // 2


class ReplyStream:
    """Coalesces text between two ticks.

    Once they are written, `start_id` is the id of its first frame, and `published_at` the time of
    the first text.
    """

    def __init__(
        self, conversation_id: UUID, message_id: int, attempt: int, on_stop: Callable[[], object]
    ) -> None:
        self.key = stream_key(conversation_id)
        self.message_id = message_id
        self.attempt = attempt
        self.start_id = ""
        self.published_at: datetime | None = None
        self.stopped = False
        self._on_stop = on_stop
        self._frames: list[bytes] = []
        self._made = 0
        self._pending = ""
        self._tail = ""  # the text since the last closed block, what is pending included
        self._offset = 0
        self._closed = 0
        self._say("begin", c=_correlation_id())

    def text(self, piece: str) -> None:
        self._pending += piece

    def tool(self, number: int, name: str, state: str, milliseconds: int = 0) -> None:
        self._take_text()
        self._say("tool", n=number, name=name, state=state, ms=milliseconds)

    def held(self, seconds: float) -> None:
        """The provider's limits hold it up for so long; 0: its turn has come."""
        self._take_text()
        self._say("held", s=round(seconds, 1))

    def done(self, status: str) -> None:
        self._take_text()
        self._say("done", status=status)

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self._on_stop()

    def take_frames(self) -> list[bytes]:
        """All that is new since the last call."""
        self._take_text()
        frames, self._frames = self._frames, []
        return frames

    def made(self) -> int:
        """How many frames there are of it by now, whether they are written or still wait."""
        self._take_text()
        return self._made

    @property
    def has_frames(self) -> bool:
        return bool(self._frames)

    def give_back(self, frame: bytes) -> None:
        """One that could not be written is to be written first; of too many the newest are kept."""
        if len(self._frames) < KEPT:
            self._frames.insert(0, frame)

    def written(self, event_id: str) -> None:
        self.start_id = self.start_id or event_id
        if self._offset and self.published_at is None:
            self.published_at = timezone.now()

    def _take_text(self) -> None:
        piece, self._pending = self._pending, ""
        if not piece:
            return
        self._say("text", o=self._offset, t=piece)
        self._offset += utf16_length(piece)
        self._tail += piece
        if "\n" in piece:
            self._close_blocks()

    def _close_blocks(self) -> None:
        end = markdown.closed_until(self._tail)
        if not end:
            return
        closed, self._tail = self._tail[:end], self._tail[end:]
        self._closed += utf16_length(closed)
        self._say("block", o=self._closed, h=markdown.render(closed))

    def _say(self, kind: str, **data: object) -> None:
        self._made += 1
        self._frames.append(encode(kind, m=self.message_id, a=self.attempt, **data))


def _correlation_id() -> str:
    """By which staff find what an event of this attempt belongs to."""
    return str(structlog.contextvars.get_contextvars().get("correlation_id", ""))


@asynccontextmanager
async def open_stream(
    conversation_id: UUID, message_id: int, attempt: int, on_stop: Callable[[], object]
) -> AsyncIterator[tuple[ReplyStream, FrameWriter]]:
    """A stream whose frames are written every tick; `on_stop` is called when a user stops the reply."""
    writer = current_writer()
    stream = ReplyStream(conversation_id, message_id, attempt, on_stop)
    writer.add(stream)
    try:
        yield stream, writer
    finally:
        # Shielded: the last frames must go out even where the job is being cancelled.
        await asyncio.shield(writer.remove(stream))
