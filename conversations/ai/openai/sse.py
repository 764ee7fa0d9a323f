"""Server-sent events out of bytes, however the network cut them. Does no input or output itself."""

from __future__ import annotations

from conversations.ai.exceptions import MalformedAnswer

MAX_LINE = 1_000_000
BOM = b"\xef\xbb\xbf"


class EventStream:
    """`feed()` returns the data of each event that is complete; `close()` what was left unended.

    Ignores comments and all fields but `data`. Raises MalformedAnswer for a line, or an event,
    longer than MAX_LINE bytes, so that a server cannot fill this process's memory.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0
        self._at_start = True

    def feed(self, chunk: bytes) -> list[str]:
        lines = self._lines(self._rest + chunk)
        events = [event for line in lines if (event := self._take(line)) is not None]
        if len(self._rest) > MAX_LINE:
            raise MalformedAnswer("line too long")
        return events

    def close(self) -> list[str]:
        """For servers that close without the last event's blank line."""
        return self.feed(b"\n\n")

    def _lines(self, buffer: bytes) -> list[bytes]:
        if self._at_start and len(buffer) >= len(BOM):
            buffer = buffer.removeprefix(BOM)
            self._at_start = False
        held = b""
        if b"\r" in buffer:
            if buffer.endswith(b"\r"):  # its \n may be the next packet's first byte
                buffer, held = buffer[:-1], b"\r"
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = buffer.split(b"\n")
        self._rest = rest + held
        return lines

    def _take(self, line: bytes) -> str | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._size += len(value)
            if self._size > MAX_LINE:
                raise MalformedAnswer("event too long")
            self._data.append(value.removeprefix(b" "))
        return None

    def _dispatch(self) -> str | None:
        if not self._data:
            return None
        data = b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        return data.decode("utf-8", "replace")
