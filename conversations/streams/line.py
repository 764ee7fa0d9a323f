"""One open stream: the text of Server-Sent Events that goes to one browser, until one of them ends it.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from redis.exceptions import RedisError

from conversations.streams.asgi import Receive, Send
from conversations.streams.events import BEGINNING, before_all, has_outlived, order
from conversations.streams.hub import BACKLOG, Frame, Mailbox, current_hub
from conversations.streams.tally import CROWDED, LIFETIME, REDIS, RIGHTS, SERVER, Tally

PING = 15.0  # seconds of silence before a comment shows that the line is alive
LASTS = 300.0  # seconds; a browser reconnects by itself, and its rights are looked at again
PARTING = 5.0  # seconds that a reader has to take the last words
RETRY = 500  # milliseconds
BYE = b"event: bye\ndata: {}\n\n"
FULL = b'event: crowded\ndata: {"most":%d}\n\n'


class Line:
    """`most` is how many streams its user may have here."""

    def __init__(self, send: Send, key: str, mailbox: Mailbox, tally: Tally, most: int) -> None:
        self._send = send
        self._key = key
        self._mailbox = mailbox
        self._tally = tally
        self._most = most

    async def follow(self, receive: Receive, cursor: str) -> None:
        """Sends what comes after `cursor` until the frames end or the browser goes."""
        gone = asyncio.create_task(_disconnected(receive))
        sending = asyncio.create_task(self._send_all(cursor))
        self._mailbox.on_crowded_out = lambda: self._make_way(sending)
        if self._mailbox.crowded_out:  # while the answer began
            self._make_way(sending)
        try:
            await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._tally.ended = SERVER
            raise
        finally:
            has_left = gone.done()
            for task in (gone, sending):
                task.cancel()
            _, failed = await asyncio.gather(gone, sending, return_exceptions=True)
        if isinstance(failed, Exception) and not (has_left or isinstance(failed, OSError)):
            raise failed

    def _make_way(self, sending: asyncio.Task[None]) -> None:
        """One who takes nothing must not keep its place beyond the last words."""
        self._tally.ended = CROWDED
        asyncio.get_running_loop().call_later(PARTING, sending.cancel)

    async def _send_all(self, cursor: str) -> None:
        lasts = LASTS * random.uniform(0.8, 1.0)  # noqa: S311  # spreads the reconnects
        ended = False
        with suppress(TimeoutError):
            async with asyncio.timeout(lasts), aclosing(self._lines(cursor)) as lines:
                await self._write(b"retry: %d\n\n" % RETRY)
                async for line in lines:
                    await self._write(line)
                ended = True
        # A reader who takes nothing keeps no connection: the server closes one that was not ended.
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                if not ended:
                    self._tally.ended = LIFETIME
                    await self._write(BYE)
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _lines(self, cursor: str) -> AsyncGenerator[bytes]:
        """SSE text, pings among it; ends when Redis stays away, rights changed or there are too many."""
        mailbox = self._mailbox
        while (why := self._is_over()) is None:
            if mailbox.missed:
                mailbox.missed = False
                try:
                    cursor, has_gap = await _checked(self._key, cursor)
                    if has_gap:
                        yield b"id: %s\nevent: reset\ndata: {}\n\n" % cursor.encode()
                    frames = await current_hub().since(self._key, cursor)
                except RedisError:
                    why = REDIS
                    break
                if len(frames) == BACKLOG:
                    mailbox.lose()  # there is more: batch by batch, so that no follower holds all
            else:
                frames = await _next(mailbox)
            new = [frame for frame in frames if not frame[0] or order(frame[0]) > order(cursor)]
            cursor = next((event_id for event_id, _ in reversed(new) if event_id), cursor)
            self._tally.frames += len(new)
            yield b"".join(map(_sse, new)) or b": ping\n\n"
        self._tally.ended = why
        yield FULL % self._most if why == CROWDED else BYE

    def _is_over(self) -> str | None:
        if self._mailbox.owner in self._mailbox.revoked:
            return RIGHTS
        return CROWDED if self._mailbox.crowded_out else None

    async def _write(self, data: bytes) -> None:
        self._tally.size += len(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": True})


async def _checked(key: str, cursor: str) -> tuple[str, bool]:
    """Where to go on from, and whether frames are missing before that.

    They are where the oldest were trimmed, or all have expired. A cursor beyond the newest frame is of
    a stream that Redis has lost since: whoever waited for what comes after it would wait for long.
    """
    if cursor == BEGINNING:
        return cursor, False
    if cursor.startswith("0-"):
        return (before_all(), True) if has_outlived(cursor) else (cursor, False)
    ends = await current_hub().ends(key)
    if ends is None:
        return before_all(), True
    oldest, newest = ends
    if order(cursor) > order(newest):
        return newest, True
    return cursor, order(oldest) > order(cursor)


async def _next(mailbox: Mailbox) -> list[Frame]:
    try:
        async with asyncio.timeout(PING):
            return await mailbox.take()
    except TimeoutError:
        return []


def _sse(frame: Frame) -> bytes:
    event_id, body = frame
    kind, _, data = body.partition(b" ")
    named = b"id: %s\n" % event_id.encode() if event_id else b""
    return named + b"event: %s\ndata: %s\n\n" % (kind, data)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
