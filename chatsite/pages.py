"""Django's WSGI handler under an ASGI server: one hop to a thread and back for each page.

Measured beside the alternatives in docs/adr/0003; a hop costs about 30 us of CPU.
Environ keys are PEP 3333's; the response's bytes go out as the handler made them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable
from contextlib import suppress
from io import BytesIO
from queue import SimpleQueue
from tempfile import SpooledTemporaryFile
from threading import Thread
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from conversations.streams.asgi import Receive, Scope, Send, answer
from performance import metrics

IN_MEMORY = 1 << 20  # bytes of a request body; more goes to a temporary file
BODY_LIMIT = 32 << 20
WAITING = 32  # requests for each thread; at 10 ms a page the last one waits a third of a second
BUSY = b"The site is busy. Nothing was lost: go back and try again in a moment.\n"
BUSY_SECONDS = b"2"
TOO_LARGE = b"The request is larger than this site takes (32 MB).\n"
ANNOUNCING = {b"content-length", b"transfer-encoding"}
UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Disconnected(Exception):
    """The browser went away before its request was complete."""


class BodyTooLarge(Exception):
    pass


class Pages:
    """An ASGI app around a Django WSGI handler, run on `threads` threads.

    Beyond WAITING requests for each thread the next ones are told at once to come back: waiting in
    line for longer than a person does would have every page computed for somebody who has left.
    """

    def __init__(self, handler: Any, threads: int) -> None:
        self._handler = handler
        self._threads = threads
        self._room = threads * WAITING
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read(scope, receive)
        except Disconnected:
            return
        except BodyTooLarge:
            await answer(send, 413, TOO_LARGE, (b"connection", b"close"))
            return
        with body:
            if self._room <= 0:
                metrics.count("requests_shed")
                await answer(send, 503, BUSY, (b"retry-after", BUSY_SECONDS))
                return
            self._room -= 1
            try:
                await self._answer(scope, body, send)
            finally:
                self._room += 1

    async def _answer(self, scope: Scope, body: IO[bytes], send: Send) -> None:
        if not self._started:
            self._start_threads()
        call = _Call(asyncio.get_running_loop(), send, environ(scope, body))
        self._calls.put(call)
        await call.ended
        for message in call.messages:
            await send(message)

    def _start_threads(self) -> None:
        """Not before the first request: a server may fork after it has loaded the site."""
        self._started = True
        for number in range(self._threads):
            Thread(target=self._serve, name=f"page_{number}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._calls.get().run(self._handler)


class _Call:
    """One request on its thread. A page is handed back whole; a streamed one goes out as it comes.

    A future of the loop's own and a queue cost less than half of what an executor's two futures do.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, send: Send, environ: dict[str, Any]
    ) -> None:
        self.messages: list[dict[str, Any]] = []
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._send = send
        self._environ = environ

    def run(self, handler: Any) -> None:
        if self.ended.cancelled():
            return  # given up before its turn came, and its body is closed
        error = None
        try:
            self._respond(handler)
        except BaseException as raised:  # noqa: BLE001 - it is the server's, which waits for it
            error = raised
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self._loop.call_soon_threadsafe(self._end, error)

    def _end(self, error: BaseException | None) -> None:
        if self.ended.done():
            return  # it was cancelled
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)

    def _respond(self, handler: Any) -> None:
        response = handler(self._environ, self._start)
        try:
            if getattr(response, "streaming", False):
                self._stream(response)
            else:
                self.messages.append({"type": "http.response.body", "body": b"".join(response)})
        finally:
            response.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        encoded = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        self.messages.append(
            {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}
        )

    def _stream(self, response: Any) -> None:
        self._send_now(*self.messages)
        for chunk in response:
            self._send_now({"type": "http.response.body", "body": chunk, "more_body": True})
        self.messages = [{"type": "http.response.body", "body": b""}]

    def _send_now(self, *messages: dict[str, Any]) -> None:
        # Waiting for each is the backpressure: a slow reader slows the view, memory stays flat.
        for message in messages:
            asyncio.run_coroutine_threadsafe(_awaited(self._send(message)), self._loop).result()


async def _awaited(sending: Awaitable[None]) -> None:
    await sending


async def _read(scope: Scope, receive: Receive) -> IO[bytes]:
    if _has_no_body(scope):
        return BytesIO()
    body: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed by the caller
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            body.close()
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT:
            body.close()
            raise BodyTooLarge
        body.write(chunk)
        if not message.get("more_body"):
            body.seek(0)
            return body


def _has_no_body(scope: Scope) -> bool:
    """What HTTP/1.1 says of a body before there is one: waiting to hear that it is empty costs a hop."""
    return scope["http_version"] == "1.1" and not any(
        name in ANNOUNCING for name, _value in scope["headers"]
    )


def environ(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """The WSGI environ of an ASGI HTTP scope."""
    path = scope.get("raw_path") or scope["path"].encode()
    host, port = scope.get("server") or ("localhost", 80)
    values: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.partition(b"?")[0]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        _add_header(values, raw_name, raw_value.decode("latin-1"))
    if "HTTP_TRANSFER_ENCODING" in values:
        # A chunked body states no length, and Django would read none of it.
        values["CONTENT_LENGTH"] = str(body.seek(0, os.SEEK_END))
        body.seek(0)
    return values


def _add_header(values: dict[str, Any], raw_name: bytes, value: str) -> None:
    # A name with "_" could pass for one that a proxy sets: X_Forwarded_Proto for X-Forwarded-Proto.
    if b"_" in raw_name:
        return
    name = raw_name.decode("latin-1").upper().replace("-", "_")
    key = name if name in UNPREFIXED else f"HTTP_{name}"
    separator = "; " if key == "HTTP_COOKIE" else ","
    values[key] = f"{values[key]}{separator}{value}" if key in values else value
