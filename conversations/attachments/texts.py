"""Bytes to text: which encoding it is, and whether it is text at all. Knows nothing of Django."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What no text has: control characters but tab, line breaks, form feed and escape (of coloured logs).
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
LINES = 400  # of a text on one page
CHARACTERS = 100_000  # of any page: PostgreSQL makes no search vector of more than 1 MB of words
PIECE = 5_000  # characters of a line, as of minified JSON: what a model is told of it has to have an end


class NotText(Exception):
    pass


def decoded(data: bytes) -> str:
    """The text with \\n for line breaks. Raises NotText.

    UTF-8, or what a byte order mark says; else Windows-1252, or Latin-1 where that has a gap.
    """
    text = _decoded(data)
    if CONTROL.search(text):
        raise NotText
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str:
    named = next((name for mark, name in MARKS if data.startswith(mark)), None)
    tries = (named,) if named else ("utf-8", "cp1252", "latin-1")
    for encoding in tries:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotText


def pages(text: str) -> list[tuple[int, str]]:
    """(first line, text) of each page of LINES lines or CHARACTERS characters.

    Of a line of more than PIECE characters each piece but the first begins a page, with that line's number.
    """
    found: list[tuple[int, str]] = []
    lines: list[str] = []
    first, size = 1, 0
    for number, piece, goes_on in _pieces(text):
        if lines and (goes_on or len(lines) == LINES or size + len(piece) > CHARACTERS):
            found.append((first, "\n".join(lines)))
            lines, first, size = [], number, 0
        lines.append(piece)
        size += len(piece) + 1
    return [*found, (first, "\n".join(lines))]


def _pieces(text: str) -> Iterator[tuple[int, str, bool]]:
    """(number of its line, text, does it go on with that line) of each line, the long ones in pieces."""
    for number, line in enumerate(text.split("\n"), 1):
        for start in range(0, len(line) or 1, PIECE):
            yield number, line[start : start + PIECE], start > 0
