"""Bytes to text: which encoding it is, and whether it is text at all. Knows nothing of Django."""

from __future__ import annotations

import codecs
import re

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
    """(first line, text) of each page of LINES lines."""
    lines = text.split("\n")
    return [
        (start + 1, "\n".join(lines[start : start + LINES]))
        for start in range(0, len(lines), LINES)
    ]
