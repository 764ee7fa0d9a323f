"""`/c/<uuid>/events/` as Server-Sent Events: a plain ASGI app, no thread and no database held.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from django.db import Error
from redis.exceptions import RedisError

from conversations.streams.access import follower, session_key
from conversations.streams.asgi import Receive, Scope, Send, answer
from conversations.streams.counting import counted
from conversations.streams.events import BEGINNING, stream_key
from conversations.streams.hub import BACKLOG, Frame, Mailbox, current_hub

logger = structlog.get_logger(__name__)

EVENT_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
PING = 15.0  # seconds of silence before a comment shows that the line is alive
LIFETIME = 300.0  # seconds; a browser reconnects by itself, and its rights are looked at again
PARTING = 5.0  # seconds that a reader has to take the last words
RETRY = 500  # milliseconds
BYE = b"event: bye\ndata: {}\n\n"
NOT_HERE = b"There is no such conversation here, or you are signed out.\n"
AWAY = b"The database does not answer; what is written meanwhile is kept. Come back in a moment.\n"
AWAY_SECONDS = b"5"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


async def events(scope: Scope, receive: Receive, send: Send, conversation_id: UUID) -> None:
    """Answers one GET with the events of a conversation that the session's user owns, or 404.

    503 where it cannot be known whether they do.
    """
    headers = {name.lower(): value for name, value in scope["headers"]}
    # HTTP/2 may send a cookie header for each cookie.
    cookies = b"; ".join(value for name, value in scope["headers"] if name.lower() == b"cookie")
    session = session_key(cookies.decode("latin-1"))
    if session is None:
        await answer(send, 404, NOT_HERE)
        return
    key = stream_key(conversation_id)
    # The mailbox comes first: a user who signs out during the look at their rights is noticed.
    async with current_hub().follow(key) as mailbox:
        try:
            mailbox.owner = await follower(session, conversation_id)
        except Error as error:
            logger.warning("stream_refused", error=type(error).__name__)
            await answer(send, 503, AWAY, (b"retry-after", AWAY_SECONDS))
            return
        if mailbox.owner is None:
            await answer(send, 404, NOT_HERE)
            return
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        with counted():
            await _follow(receive, _send_all(send, key, mailbox, _cursor(scope, headers)))


async def _follow(receive: Receive, frames: Coroutine[Any, Any, None]) -> None:
    """Sends until the frames end or the browser goes."""
    gone = asyncio.create_task(_disconnected(receive))
    sending = asyncio.create_task(frames)
    try:
        await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (gone, sending):
            task.cancel()
        await asyncio.gather(gone, sending, return_exceptions=True)


def _cursor(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """The last id that the browser has: of its reconnect, or of the page that opened the stream."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    cursor = headers.get(b"last-event-id", b"").decode("latin-1") or query.get("after", [""])[0]
    return cursor if EVENT_ID.fullmatch(cursor) else BEGINNING


async def _send_all(send: Send, key: str, mailbox: Mailbox, cursor: str) -> None:
    lifetime = LIFETIME * random.uniform(0.8, 1.0)  # noqa: S311  # spreads the reconnects
    ended = False
    with suppress(TimeoutError):
        async with asyncio.timeout(lifetime), aclosing(_lines(key, mailbox, cursor)) as lines:
            await _write(send, b"retry: %d\n\n" % RETRY)
            async for line in lines:
                await _write(send, line)
            ended = True
    # A reader who takes nothing keeps no connection: the server closes one that was not ended.
    with suppress(TimeoutError):
        async with asyncio.timeout(PARTING):
            if not ended:
                await _write(send, BYE)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _lines(key: str, mailbox: Mailbox, cursor: str) -> AsyncGenerator[bytes]:
    """SSE text, pings among it, from `cursor` on; ends when Redis stays away or rights changed."""
    while mailbox.owner not in mailbox.revoked:
        if mailbox.missed:
            mailbox.missed = False
            try:
                cursor, has_gap = await _checked(key, cursor)
                if has_gap:
                    yield b"event: reset\ndata: {}\n\n"
                frames = await current_hub().since(key, cursor)
            except RedisError:
                break
            if len(frames) == BACKLOG:
                mailbox.lose()  # there is more: taken batch by batch, so that no follower holds all
        else:
            frames = await _next(mailbox)
        new = [frame for frame in frames if not frame[0] or _order(frame[0]) > _order(cursor)]
        cursor = next((event_id for event_id, _ in reversed(new) if event_id), cursor)
        yield b"".join(map(_sse, new)) or b": ping\n\n"
    yield BYE


async def _checked(key: str, cursor: str) -> tuple[str, bool]:
    """Where to go on from, and whether frames are missing before that.

    They are where the oldest were trimmed, or all have expired. A cursor beyond the newest frame is of
    a stream that Redis has lost since: whoever waited for what comes after it would wait for long.
    """
    if cursor == BEGINNING:
        return cursor, False
    ends = await current_hub().ends(key)
    if ends is None:
        return cursor, True
    oldest, newest = ends
    if _order(cursor) > _order(newest):
        return newest, True
    return cursor, _order(oldest) > _order(cursor)


async def _next(mailbox: Mailbox) -> list[Frame]:
    try:
        async with asyncio.timeout(PING):
            return await mailbox.take()
    except TimeoutError:
        return []


def _order(event_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = event_id.partition("-")
    return int(milliseconds), int(sequence)


def _sse(frame: Frame) -> bytes:
    event_id, body = frame
    kind, _, data = body.partition(b" ")
    named = b"id: %s\n" % event_id.encode() if event_id else b""
    return named + b"event: %s\ndata: %s\n\n" % (kind, data)


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
