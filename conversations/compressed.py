"""Pages kept compressed, with gaps in them for what is each request's own.

A gzip file (RFC 1952) is made of blocks (RFC 1951). The pieces between the gaps are compressed once, each by
itself, and what fills a gap goes between them as it is, in a block that is not compressed. So a kept page is
sent without being compressed again, takes a fifth of the memory, and has no token compressed beside other text.
"""

from __future__ import annotations

import gzip
import re
import secrets
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers

from performance.cache import register

LEVEL = 6  # as Django's own
GAP = re.compile("\0(.*?)\0")
MOST_IN_A_BLOCK = 0xFFFF
# A name of random length in the header, as Django's: the size of an answer tells less of what is in it.
HEADER = b"\x1f\x8b\x08\x08" + bytes(4) + b"\x02\xff"


@register
@dataclass(frozen=True, slots=True)
class Piece:
    """`check` is the CRC-32 of the piece, exclusive or that of as many zero bytes: see `_checked`."""

    blocks: bytes
    size: int
    check: int


@register
@dataclass(frozen=True, slots=True)
class CompressedPage:
    """`gaps` are the names of what goes between the pieces, of which there is one more."""

    pieces: tuple[Piece, ...]
    gaps: tuple[str, ...]

    @classmethod
    def of(cls, html: str) -> CompressedPage:
        """Of a page whose gaps are marked by their names between two NULs."""
        parts = GAP.split(html)
        ending = len(parts[::2]) - 1
        pieces = [_piece(text, last=at == ending) for at, text in enumerate(parts[::2])]
        return cls(tuple(pieces), tuple(parts[1::2]))

    def filled(self, own: Mapping[str, str]) -> bytes:
        """The gzip file. A value of `own` may have 64 KB."""
        name = b"a" * secrets.randbelow(GZipMiddleware.max_random_bytes) + b"\0"
        made, check, size = [HEADER, name], 0, 0
        for at, piece in enumerate(self.pieces):
            if at:
                value = own[self.gaps[at - 1]].encode()
                made.append(_as_it_is(value))
                check, size = zlib.crc32(value, check), size + len(value)
            made.append(piece.blocks)
            check, size = _checked(check, piece), size + piece.size
        made.append(struct.pack("<LL", check, size & 0xFFFFFFFF))
        return b"".join(made)


def response(request: HttpRequest, page: CompressedPage, own: Mapping[str, str]) -> HttpResponse:
    """As it is kept, or plain for who takes nothing else."""
    made = page.filled(own)
    if re_accepts_gzip.search(request.headers.get("Accept-Encoding", "")):
        found = HttpResponse(made, headers={"Content-Encoding": "gzip"})
    else:
        found = HttpResponse(gzip.decompress(made))
    patch_vary_headers(found, ("Accept-Encoding",))
    return found


def _piece(text: str, *, last: bool) -> Piece:
    plain = text.encode()
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    # A flush ends at a whole byte, without saying that this was the end of all.
    blocks = packer.compress(plain) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
    return Piece(blocks, len(plain), zlib.crc32(plain) ^ zlib.crc32(bytes(len(plain))))


def _checked(check: int, piece: Piece) -> int:
    """The CRC-32 of what has `check` and of the piece after it, without having its text.

    What zero bytes make of `check` depends on nothing but their number, and a text changes that by what it
    changes of a 0: the CRC is linear.
    """
    return zlib.crc32(bytes(piece.size), check) ^ piece.check


def _as_it_is(value: bytes) -> bytes:
    if len(value) > MOST_IN_A_BLOCK:
        raise ValueError(f"{len(value)} bytes are too many for a gap: 65,535 fit.")
    return b"\0" + struct.pack("<HH", len(value), len(value) ^ MOST_IN_A_BLOCK) + value
