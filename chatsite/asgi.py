"""The ASGI root: streams and health here, every page through WSGI in one thread hop.

Django's own middleware costs some twelve times the CPU under ASGI (docs/adr/0003), so pages never
take that road; and a stream that is no Django view holds neither a thread nor a database connection.
"""

from __future__ import annotations

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.conf import settings

from chatsite import wsgi
from chatsite.event_streams import stream
from chatsite.pages import Pages
from conversations.streams.asgi import JSON, Receive, Scope, Send, answer
from conversations.streams.hub import close_hub
from performance import health

READ = b"This is read, by GET or HEAD.\n"
EVENTS = re.compile(r"/c/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/events/")

# Its own threads: that all of the pages hang is one of the things it has to tell.
_looking = ThreadPoolExecutor(2, thread_name_prefix="health")
_pages = Pages(wsgi.application, settings.WEB_THREADS)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path in HEALTH:
        await _health(scope, send)
    elif (match := EVENTS.fullmatch(path)) and scope["method"] == "GET":
        await stream(scope, receive, send, UUID(match[1]))
    else:
        await _pages(scope, receive, send)


async def _health(scope: Scope, send: Send) -> None:
    if scope["method"] not in {"GET", "HEAD"}:
        await answer(send, 405, READ, (b"allow", b"GET, HEAD"))
    else:
        await HEALTH[scope["path"]](send)


async def _alive(send: Send) -> None:
    """Answers from the event loop alone, so a database that hangs cannot make the process look dead."""
    await answer(send, 200, b"ok")


async def _ready(send: Send) -> None:
    report = await asyncio.get_running_loop().run_in_executor(_looking, health.report)
    status = 200 if report.is_ready else 503
    await answer(send, status, json.dumps(report.public()).encode(), kind=JSON)


HEALTH = {"/health/live": _alive, "/health/ready": _ready}


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await close_hub()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
