"""Event streams as the site knows its pages: by an id, which the answer has too, a span and a line in the log.

Streams are no Django views, so no middleware does it. Nothing here is done for a frame.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from django.conf import settings

from chatsite import request_ids
from conversations.streams.app import events
from conversations.streams.asgi import Receive, Scope, Send, answer
from conversations.streams.tally import Tally
from performance import tracing

logger = structlog.get_logger(__name__)

ROUTE = "/c/<uuid:pk>/events/"
FAILED = b"This stream has failed; the page looks by itself.\n"


async def stream(scope: Scope, receive: Receive, send: Send, conversation_id: UUID) -> None:
    """Answers one GET. A fault ends this stream alone, and is told in the log."""
    headers = dict(scope["headers"])
    tally = Tally(request_ids.chosen(_trusted(headers, b"x-request-id")))
    attributes = {"http.request.method": "GET", "http.route": ROUTE}
    parent = _trusted(headers, b"traceparent")
    with (
        structlog.contextvars.bound_contextvars(request_id=tally.request_id),
        tracing.span(f"GET {ROUTE}", attributes, kind="server", parent=parent) as span,
    ):
        try:
            await events(scope, receive, send, conversation_id, tally)
        except Exception as error:
            logger.exception("stream_failed")
            span.fail(type(error).__name__)
            if not tally.status:
                tally.refuse(500)
                await answer(send, 500, FAILED, *tally.headers)
        finally:
            _tell(span, tally)


def _trusted(headers: dict[bytes, bytes], name: bytes) -> str:
    """A header that a proxy has set or taken away: a client's own could be another client's too."""
    return headers.get(name, b"").decode("latin-1") if settings.BEHIND_PROXY else ""


def _tell(span: tracing.Span, tally: Tally) -> None:
    ended = tally.ended if tally.status == 200 else "refused"
    span.set(
        {
            "http.response.status_code": tally.status,
            "http.response.body.size": tally.size,
            "chatsite.stream.frames": tally.frames,
            "chatsite.stream.ended": ended,
        }
    )
    if tally.status >= 500:
        span.fail(str(tally.status))
    logger.info(
        "stream_ended",
        code=tally.status,
        ended=ended,
        frames=tally.frames,
        bytes=tally.size,
        seconds=round(tally.seconds, 3),
    )
