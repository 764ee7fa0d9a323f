"""HTTP/1.1 over plain sockets: a generator of load that costs little beside what it measures."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

IDLE = 3.0  # seconds after which a connection is not used again


@dataclass(frozen=True)
class Answer:
    """`head` is the status line and the headers, in small letters."""

    status: int
    head: bytes
    body: bytes

    @property
    def says_when_to_come_back(self) -> bool:
        return b"\r\nretry-after:" in self.head


class Stream:
    """An answer whose body is still coming."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def until(self, text: bytes) -> None:
        """Reads on. Raises IncompleteReadError where the stream ends before `text`."""
        await self._reader.readuntil(text)

    def close(self) -> None:
        self._writer.close()


class Connections:
    """To one port of this machine; they stay open, and are used again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def opened(self, count: int, apart: float = 0.02) -> None:
        """Opens so many before they are needed, `apart` seconds each."""
        for _ in range(count):
            pair = await asyncio.open_connection("127.0.0.1", self._port)
            self._idle.append((time.monotonic(), *pair))
            await asyncio.sleep(apart)

    async def exchange(
        self, path: str, cookie: str, *, headers: str = "", body: bytes | None = None
    ) -> Answer:
        """GET, or POST where there is a body."""
        reader, writer = await self._connection()
        try:
            writer.write(self._request(path, cookie, headers, body))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            content = await reader.readexactly(_length(head))
        except BaseException:
            writer.close()
            raise
        self._idle.append((time.monotonic(), reader, writer))
        return Answer(int(head[9:12]), head, content)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            since, reader, writer = self._idle.pop()
            # The server closes one that is idle for long, maybe just as it is used again.
            if time.monotonic() - since < IDLE and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def stream(self, path: str, cookie: str) -> Stream:
        """Raises ValueError where the answer is not a 200."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        stream = Stream(reader, writer)
        writer.write(self._request(path, cookie, "", None))
        head = await reader.readuntil(b"\r\n\r\n")
        if head[9:12] != b"200":
            stream.close()
            raise ValueError(f"{path} answered {head[9:12].decode()}")
        return stream

    def _request(self, path: str, cookie: str, headers: str, body: bytes | None) -> bytes:
        method = "GET" if body is None else "POST"
        if body is not None:
            headers += (
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n"
            )
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: {cookie}\r\n"
        return f"{head}{headers}\r\n".encode() + (body or b"")

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[2].close()


def _length(head: bytes) -> int:
    if head[9:12] == b"304":
        return 0
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError("The answer does not say how long it is.")
