"""The words of ASGI, and an answer that is there at once. https://asgi.readthedocs.io/en/stable/specs/www.html"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json"


async def answer(
    send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes], kind: bytes = TEXT
) -> None:
    """A whole response, which nobody may keep; `kind` is its content type."""
    own = [(b"content-type", kind), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})
