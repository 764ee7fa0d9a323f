"""One conversation after the other out of a file of any size: memory holds one at a time."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import msgspec

from conversations.chatgpt.shapes import ExportedConversation

CHUNK = 2**18
LARGEST = 64 * 2**20  # bytes of one conversation
MOST = 2**30  # bytes of all files together, unpacked: a zip of zeros would not end
NAME = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")  # large accounts get several
ENCRYPTED = 0x1

# In a string only its end matters, and outside of one only what opens and closes.
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')


class Unreadable(Exception):
    """The file is no export of ChatGPT's, or damaged. `code` is one of chatgpt.problems."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_export(head: bytes) -> bool:
    """Whether a file that begins so may be one: a zip, or a list in JSON. Ours is an object."""
    return head.startswith(b"PK\x03\x04") or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def conversations(file: IO[bytes]) -> Iterator[ExportedConversation | str]:
    """Each conversation; or, where one has another shape, a sentence that names the field.

    Raises Unreadable.
    """
    for document in _documents(file):
        for one in _elements(document):
            try:
                yield msgspec.json.decode(one, type=ExportedConversation)
            except (msgspec.DecodeError, RecursionError) as error:
                # msgspec names the field and the types, never the value.
                yield str(error)


def count(file: IO[bytes]) -> int:
    """How many there are. Raises Unreadable."""
    return sum(1 for document in _documents(file) for _ in _elements(document))


@contextmanager
def _archive(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError):
        raise Unreadable("damaged") from None


def _documents(file: IO[bytes]) -> Iterator[Iterator[bytes]]:
    """The bytes of each conversations.json, in chunks."""
    file.seek(0)
    room = _Room()
    if file.read(4) != b"PK\x03\x04":
        file.seek(0)
        yield _chunks(file, room)
        return
    with _archive(file) as archive:
        found = sorted(
            (entry for entry in archive.infolist() if NAME.search(entry.filename)),
            key=lambda entry: entry.filename,
        )
        if not found:
            raise Unreadable("nothing_inside")
        for entry in found:
            if entry.flag_bits & ENCRYPTED:
                raise Unreadable("encrypted")
            with archive.open(entry) as unpacked:
                yield _chunks(unpacked, room)


class _Room:
    """What all files of an archive share: a thousand small bombs are a large one."""

    def __init__(self) -> None:
        self.left = MOST

    def take(self, size: int) -> None:
        """Raises Unreadable where there is no more."""
        self.left -= size
        if self.left < 0:
            raise Unreadable("too_large")


def _chunks(file: IO[bytes], room: _Room) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        room.take(len(chunk))
        yield chunk


class _Cut:
    """Follows JSON by its brackets and strings alone."""

    def __init__(self) -> None:
        self.held = bytearray()
        self.depth = 0
        self._at = 0  # where to look on
        self._start: int | None = None  # of the element that is being cut out
        self._in_string = False

    @property
    def is_whole(self) -> bool:
        return not self.depth and not self._in_string

    def take(self, chunk: bytes) -> Iterator[bytes]:
        self.held += chunk
        while found := (_INSIDE if self._in_string else _OUTSIDE).search(self.held, self._at):
            self._at = found.end()
            if self._mark(found[0]) and self._start is not None:
                yield bytes(self.held[self._start : self._at])
                self._start = None
        self._at = max(self._at, len(self.held))  # beyond it where a backslash ends the chunk
        done = len(self.held) if self._start is None else self._start
        del self.held[:done]
        self._at -= done
        self._start = None if self._start is None else 0

    def _mark(self, mark: bytes) -> bool:
        """True where an element ends there."""
        if self._in_string:
            self._in_string = mark != b'"'
            self._at += mark == b"\\"  # what it escapes is no mark
        elif mark == b'"':
            self._in_string = True
        elif mark in b"{[":
            self._open(mark)
        else:
            self.depth -= 1
            return self.depth == 1
        return False

    def _open(self, mark: bytes) -> None:
        if self.depth == 0 and mark != b"[":
            raise Unreadable("damaged")
        self.depth += 1
        if self.depth == 2:
            self._start = self._at - 1


def _elements(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The objects of a JSON list, cut apart without being read. Raises Unreadable."""
    cut = _Cut()
    for chunk in chunks:
        yield from cut.take(chunk)
        if cut.depth < 0:
            raise Unreadable("damaged")
        if len(cut.held) > LARGEST:
            raise Unreadable("too_large")
    if not cut.is_whole:
        raise Unreadable("damaged")
