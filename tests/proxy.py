"""A TCP proxy that hurts the connections which go through it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.servers import free_port

CHUNK = 65_536


class Line:
    """One connection through the proxy. `asked` begins with what the client has said so far."""

    def __init__(self, client: socket.socket, server: socket.socket, delay: float) -> None:
        self.client, self.server = client, server
        self.asked = b""
        self.delay = delay  # seconds before each part of a reply is passed on
        self.bytes_left: int | None = None  # of replies, before the line is cut
        self.flows = threading.Event()
        self.flows.set()
        for work in (self._ask, self._answer):
            threading.Thread(target=work, daemon=True).start()

    def stall(self) -> None:
        """Pass on nothing more either way, and let nobody know: a half-open connection."""
        self.flows.clear()

    def cut(self) -> None:
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.flows.set()

    def _ask(self) -> None:
        self._pump(self.client, self._send_on)

    def _answer(self) -> None:
        self._pump(self.server, self._send_back)

    def _pump(self, source: socket.socket, send: Callable[[bytes], None]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self.flows.wait()
                send(data)
        self.cut()

    def _send_on(self, data: bytes) -> None:
        self.asked = (self.asked + data)[:4096]
        self.server.sendall(data)

    def _send_back(self, data: bytes) -> None:
        if self.delay:
            time.sleep(self.delay)
        if self.bytes_left is not None:
            data = data[: self.bytes_left]
            self.bytes_left -= len(data)
        self.client.sendall(data)
        if self.bytes_left == 0:
            self.cut()


class TcpProxy:
    """Listens on a port of its own for a server on a port, or on a Unix socket by its path."""

    def __init__(self, server: int | str) -> None:
        self._server = server
        self.port = free_port()
        self.delay = 0.0  # of lines to come
        self.lines: list[Line] = []
        self.open()

    def open(self) -> None:
        """Takes connections; again, after close()."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def those(self, word: bytes, *, without: bool = False) -> list[Line]:
        """The lines over which a client has said `word`; `without`: those over which none has."""
        return [line for line in self.lines if (word in line.asked) is not without]

    def close(self) -> None:
        """As if the server had died: cuts every line, and whoever comes now is refused."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or the waiting accept() takes one more
        self._listener.close()
        for line in self.lines:
            line.cut()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = self._connect()
                except OSError:
                    client.close()
                    continue
                self.lines.append(Line(client, server, self.delay))

    def _connect(self) -> socket.socket:
        if isinstance(self._server, int):
            return socket.create_connection(("127.0.0.1", self._server))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()
