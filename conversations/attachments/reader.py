"""Reads one file, in a process of its own that may be killed: no Django, no database, no secrets.

python reader.py KIND LIMITS <FILE >RESULT. LIMITS is JSON. RESULT is one line of JSON, then for each page
of text one more, or for a picture the bytes of a new one. What the file holds goes nowhere else: no error's
words leave this process, since they may quote it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).parent)]

MEGA = 2**20
JPEG_QUALITY = 88


class Unreadable(Exception):
    """`code` is one of conversations.attachments.problems."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def confine(limits: dict[str, int]) -> None:
    """What the kernel enforces, whatever a parser is made to do."""
    memory = limits["memory_mb"] * MEGA
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_FSIZE, 256 * MEGA),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),  # no process of its own; root is not bound by it
    ):
        resource.setrlimit(kind, (most, most))


def read_pdf(file: IO[bytes], limits: dict[str, int]) -> tuple[dict[str, Any], Iterator[Any]]:
    """Page by page, as far as pages, characters and time go."""
    import texts  # type: ignore[import-not-found]  # beside this file
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        document = PdfReader(file, strict=False)
        if document.is_encrypted and not document.decrypt(""):
            raise Unreadable("encrypted")
        count = len(document.pages)
    except DependencyError:  # a cipher that pypdf leaves to another package
        raise Unreadable("encrypted") from None
    except (
        PyPdfError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        IndexError,
    ):
        raise Unreadable("damaged") from None
    until = time.monotonic() + limits["seconds"] * 0.7
    found: list[str] = []
    left, is_cut = limits["characters"], False
    for number in range(min(count, limits["pages"])):
        if left <= 0 or time.monotonic() > until:
            break
        text = _page_text(document, number)
        kept = text[: min(left, texts.CHARACTERS)]
        is_cut = is_cut or len(kept) < len(text)
        left -= len(kept)
        found.append(kept)
    if not any(text.strip() for text in found):
        raise Unreadable("no_text")
    head = {"page_count": count, "is_cut": is_cut or len(found) < count or left <= 0}
    return head, iter([(1, text) for text in found])


def _page_text(document: Any, number: int) -> str:
    try:
        text = document.pages[number].extract_text() or ""
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # a broken page is an empty one; the others may be whole
        return ""
    lines = (line.rstrip() for line in str(text).replace("\0", "").splitlines())
    return "\n".join(lines).strip("\n").encode("utf-8", "replace").decode()


def read_text(file: IO[bytes], limits: dict[str, int]) -> tuple[dict[str, Any], Iterator[Any]]:
    import texts  # beside this file

    try:
        text = texts.decoded(file.read())
    except texts.NotText:
        raise Unreadable("damaged") from None
    most = limits["characters"]
    pages = texts.pages(text[:most].rstrip("\n"))
    shown = pages[: limits["pages"]]
    head = {"page_count": len(shown), "is_cut": len(text) > most or len(shown) < len(pages)}
    return head, iter(shown)


def read_image(file: IO[bytes], limits: dict[str, int]) -> tuple[dict[str, Any], bytes]:
    """A new picture of the same pixels: what hid before, between or behind them is gone."""
    import io
    import warnings

    from PIL import Image, ImageOps, UnidentifiedImageError

    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = limits["pixels"]
    try:
        with Image.open(file, formats=["PNG", "JPEG", "GIF", "WEBP"]) as image:
            if image.width * image.height > limits["pixels"]:
                raise Unreadable("too_many_pixels")
            image.draft(
                "RGB", (limits["edge"], limits["edge"])
            )  # a JPEG is decoded smaller at once
            image.load()
            upright = ImageOps.exif_transpose(image)
    except Image.DecompressionBombError:
        raise Unreadable("too_many_pixels") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError):
        raise Unreadable("damaged") from None
    lossy = image.format in {"JPEG", "WEBP"} and "A" not in upright.getbands()
    plain = upright.convert("RGB" if lossy else "RGBA")
    plain.thumbnail((limits["edge"], limits["edge"]))
    plain.info = {}
    out = io.BytesIO()
    if lossy:
        plain.save(out, "JPEG", quality=JPEG_QUALITY)
    else:
        plain.save(out, "PNG")
    return {"page_count": 0, "media_type": "image/jpeg" if lossy else "image/png"}, out.getvalue()


READERS = {"pdf": read_pdf, "image": read_image}


def main(kind: str, given: str) -> None:
    limits: dict[str, int] = json.loads(given)
    sys.path.append(str(Path(__file__).parent))  # for texts; last, so that it hides nothing
    confine(limits)
    out = sys.stdout.buffer
    try:
        head, found = READERS.get(kind, read_text)(sys.stdin.buffer, limits)
    except Unreadable as error:
        head, found = {"problem": error.code}, iter(())
    except MemoryError:
        head, found = {"problem": "too_complex"}, iter(())
    out.write(json.dumps(head).encode() + b"\n")
    if isinstance(found, bytes):
        out.write(found)
        return
    for first_line, text in found:
        out.write(json.dumps([first_line, text]).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
