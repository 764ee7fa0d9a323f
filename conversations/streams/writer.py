"""Writes the frames of every reply on this event loop: one script call a tick for all of them."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import structlog
from redis.exceptions import RedisError

from conversations.streams import waiting
from conversations.streams.events import APPEND, LENGTH, LIFE, async_client, stop_key

if TYPE_CHECKING:
    from conversations.streams.reply import ReplyStream

    Frame = tuple[ReplyStream, bytes]

logger = structlog.get_logger(__name__)

TICK = 0.1  # seconds between two writes
PARTING = 2.0  # seconds that the last frames are given
IDLE = 60.0  # seconds without a stream after which the connection is given back


class FrameWriter:
    """The ticker of one event loop. It runs while a stream is open, and ends some time after the last:
    to connect anew for each answer would cost its first words some milliseconds.

    Frames that cannot be written are written with the next ones, once Redis is back. Where that takes too long
    some are lost: a follower sees the gap by the offsets and fetches the checkpoint from the database.
    """

    def __init__(self) -> None:
        self._streams: set[ReplyStream] = set()
        self._begun: list[str] = []  # what has left the queue since the last writing
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._ticker: asyncio.Task[None] | None = None
        self._redis = async_client(socket_timeout=2)
        self._append = self._redis.register_script(APPEND)
        self._failing = False

    def add(self, stream: ReplyStream) -> None:
        self._streams.add(stream)
        self._begun.append(waiting.member(stream.key, stream.message_id))
        self._wake.set()
        if self._ticker is None or self._ticker.done():
            # Its log lines are nobody's: it outlives the run that happens to begin it.
            self._ticker = asyncio.create_task(
                self._tick(), name="stream-writer", context=contextvars.Context()
            )

    async def remove(self, stream: ReplyStream) -> None:
        """Writes what is left of `stream` and forgets it. Where Redis is away it waits a little."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                await self.flush()
                while not await self._is_written(stream):
                    await asyncio.sleep(TICK)
        self._streams.discard(stream)

    async def _is_written(self, stream: ReplyStream) -> bool:
        async with self._writing:
            return not stream.has_frames

    def wake(self) -> None:
        """Writes at once instead of at the next tick: for the first words of an answer."""
        self._wake.set()

    async def push(self) -> None:
        """As `flush`, but waits for PARTING at most, be it for Redis or for those who wait for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                await self.flush()

    async def flush(self) -> None:
        """One round trip: all new frames out, all stop flags in."""
        async with self._writing:
            streams = list(self._streams)
            if not streams:
                return
            frames = [(stream, frame) for stream in streams for frame in stream.take_frames()]
            begun, self._begun = self._begun, []
            try:
                ids, stops = await self._append(*_arguments(streams, frames, begun))
            except (RedisError, asyncio.CancelledError) as error:
                self._take_back(frames, begun)
                if isinstance(error, asyncio.CancelledError):
                    raise
                self._report(error)
                return
        self._failing = False
        for (stream, _), event_id in zip(frames, ids, strict=True):
            stream.written(event_id.decode())
        for stream, stop in zip(streams, stops, strict=True):
            if stop:
                stream.stop()

    def _take_back(self, frames: list[Frame], begun: list[str]) -> None:
        self._begun += begun
        for stream, frame in reversed(frames):
            stream.give_back(frame)

    def _report(self, error: RedisError) -> None:
        if not self._failing:
            logger.warning("stream_unavailable", error=type(error).__name__)
        self._failing = True

    async def _tick(self) -> None:
        try:
            while self._streams or await self._woken(IDLE):
                await self._woken(TICK)
                self._wake.clear()
                await self.flush()
        finally:
            writers.pop(asyncio.get_running_loop(), None)
            await self._redis.aclose()

    async def _woken(self, seconds: float) -> bool:
        """Whether somebody has called `wake`, which is waited for so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        return self._wake.is_set()


def _arguments(
    streams: list[ReplyStream], frames: list[Frame], begun: list[str]
) -> tuple[list[str], list[int | bytes | str]]:
    """Keys and arguments of the script."""
    keys = [stream.key for stream, _ in frames]
    keys += [stop_key(stream.message_id, stream.attempt) for stream in streams]
    if begun:
        keys.append(waiting.KEY)
    return keys, [LENGTH, LIFE, len(frames), *(frame for _, frame in frames), *begun]


writers: WeakKeyDictionary[asyncio.AbstractEventLoop, FrameWriter] = WeakKeyDictionary()


def current_writer() -> FrameWriter:
    """The writer of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in writers:
        writers[loop] = FrameWriter()
    return writers[loop]
