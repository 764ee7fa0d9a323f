"""A real socket that answers with exactly the bytes a test gives it, and keeps what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
HELLO = b'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"

Script = Callable[["Connection"], Awaitable[None]]


class Connection:
    """One accepted connection. `closed` is set once the client has gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.head = b""
        self.body = b""

    async def receive(self) -> None:
        self.head = await self._reader.readuntil(b"\r\n\r\n")
        for line in self.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                self.body = await self._reader.readexactly(int(value))

    async def send(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self._writer.write(chunk)
            await self._writer.drain()

    async def wait_closed(self) -> None:
        await self._reader.read()


class Server:
    def __init__(self) -> None:
        self.url = ""
        self.connections: list[Connection] = []
        self.left = asyncio.Event()


@asynccontextmanager
async def serving(*scripts: Script) -> AsyncIterator[Server]:
    """The n-th connection is answered by the n-th script; the last script answers the rest."""
    server = Server()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        server.connections.append(connection)
        script = scripts[min(len(server.connections), len(scripts)) - 1]
        try:
            await connection.receive()
            await script(connection)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            server.left.set()
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}/v1"
    async with listener:
        yield server


def answering(*chunks: bytes) -> Script:
    async def script(connection: Connection) -> None:
        await connection.send(*chunks)

    return script


def status(line: str, *headers: str, body: str = "") -> Script:
    head = "\r\n".join([f"HTTP/1.1 {line}", f"Content-Length: {len(body)}", *headers])
    return answering(f"{head}\r\n\r\n{body}".encode())
