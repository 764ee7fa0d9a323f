"""What a file is, by its content alone; and a name for it that is safe to show."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import IO

from conversations.attachments.problems import Refused
from conversations.attachments.texts import NotText, decoded
from conversations.models import NAME_LENGTH, Kind

# The four kinds of picture that browsers and models share, and PDF. Whether the rest of the file is what
# its beginning says is found out when it is read, by Pillow and pypdf, in a process of its own.
SIGNATURES = (
    (b"%PDF-", Kind.PDF, "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE, "image/png"),
    (b"\xff\xd8\xff", Kind.IMAGE, "image/jpeg"),
    (b"GIF87a", Kind.IMAGE, "image/gif"),
    (b"GIF89a", Kind.IMAGE, "image/gif"),
)
# Common enough to be named in the refusal.
REFUSED = (
    (b"PK\x03\x04", "archive"),
    (b"PK\x05\x06", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "archive"),  # Office before 2007
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
)
HEAD = 16
PLAIN = "text/plain"  # text is never anything else, so that HTML and SVG stay words
TEXTS = {
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
}


def detect(file: IO[bytes], name: str) -> tuple[Kind, str]:
    """(kind, media type) of what is in `file`. Raises Refused.

    `name` decides only which kind of text a text is called.
    """
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise Refused("empty")
    found = _by_signature(head)
    if found:
        return found
    file.seek(0)
    try:
        text = decoded(file.read())
    except NotText:
        raise Refused(_refused(head)) from None
    if not text.strip():
        raise Refused("empty")
    return TEXTS.get(PurePosixPath(name.lower()).suffix, Kind.TEXT), PLAIN


def _by_signature(head: bytes) -> tuple[Kind, str] | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Kind.IMAGE, "image/webp"
    for signature, kind, media_type in SIGNATURES:
        if head.startswith(signature):
            return kind, media_type
    return None


def _refused(head: bytes) -> str:
    found = (problem for signature, problem in REFUSED if head.startswith(signature))
    return next(found, "binary")


_DROPPED = {"Cc", "Cf", "Co", "Cs", "Cn"}  # controls, and formats such as right-to-left override


def clean_name(name: str) -> str:
    """The file's name without its path, in one line, with nothing that could pass for something else."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(
        " " if char.isspace() else char
        for char in last
        if char.isspace() or unicodedata.category(char) not in _DROPPED
    )
    # Brackets end a citation, quotes and angles a tag of the text that a model is told.
    kept = kept.translate(str.maketrans('[]<>"|', "()()'-"))
    kept = " ".join(kept.split()).lstrip(".").strip() or "file"
    return _shortened(kept, NAME_LENGTH - 10)  # room for a number where two have one name


def _shortened(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    suffix = PurePosixPath(name).suffix[:12]
    return name[: most - len(suffix)].rstrip() + suffix


def numbered(name: str, taken: set[str]) -> str:
    """`name`, or "name (2).txt" and so on where that is taken: a citation must mean one file."""
    path, number, found = PurePosixPath(name), 1, name
    while found in taken:
        number += 1
        found = f"{path.stem} ({number}){path.suffix}"
    return found
