"""`/c/<uuid>/events/` as Server-Sent Events: a plain ASGI app, no thread and no database held.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error

from conversations.streams.access import follower, session_key
from conversations.streams.asgi import Receive, Scope, Send, answer
from conversations.streams.counting import counted
from conversations.streams.events import BEGINNING, stream_key
from conversations.streams.hub import current_hub
from conversations.streams.line import Line
from conversations.streams.tally import Tally

logger = structlog.get_logger(__name__)

EVENT_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
NOT_HERE = b"There is no such conversation here, or you are signed out.\n"
AWAY = b"The database does not answer; what is written meanwhile is kept. Come back in a moment.\n"
AWAY_SECONDS = b"5"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


async def events(
    scope: Scope, receive: Receive, send: Send, conversation_id: UUID, tally: Tally
) -> None:
    """Answers one GET with the events of a conversation that the session's user owns, or 404.

    503 where it cannot be known whether they do. `tally` has what came of it.
    """
    # HTTP/2 may send a cookie header for each cookie.
    cookies = b"; ".join(value for name, value in scope["headers"] if name.lower() == b"cookie")
    session = session_key(cookies.decode("latin-1"))
    if session is None:
        await _refuse(send, tally, 404, NOT_HERE)
        return
    # The mailbox comes first: a user who signs out during the look at their rights is noticed.
    key = stream_key(conversation_id)
    async with current_hub().follow(key) as mailbox:
        try:
            owner = await follower(session, conversation_id)
        except Error as error:
            logger.warning("stream_refused", error=type(error).__name__)
            await _refuse(send, tally, 503, AWAY, (b"retry-after", AWAY_SECONDS))
            return
        if owner is None:
            await _refuse(send, tally, 404, NOT_HERE)
            return
        current_hub().admit(mailbox, owner, settings.STREAMS_PER_USER)
        with counted(tally):
            headers = [*HEADERS, *tally.headers]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            line = Line(send, key, mailbox, tally, settings.STREAMS_PER_USER)
            await line.follow(receive, _cursor(scope))


async def _refuse(
    send: Send, tally: Tally, status: int, words: bytes, *headers: tuple[bytes, bytes]
) -> None:
    tally.refuse(status)
    await answer(send, status, words, *headers, *tally.headers)


def _cursor(scope: Scope) -> str:
    """The last id that the browser has: of its reconnect, or of the page that opened the stream."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    cursor = headers.get(b"last-event-id", b"").decode("latin-1") or query.get("after", [""])[0]
    return cursor if EVENT_ID.fullmatch(cursor) else BEGINNING
