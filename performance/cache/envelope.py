"""What lies in Redis: a version, a checksum, when the value gets stale, and the packed value.

    0xC1  version  flags  crc32 (4, of all that follows and the flags)  [refresh: 12]  payload

0xC1 begins no MessagePack value and no number, so an entry is told from django-redis's plain
integers, which stay plain here: Redis itself counts with them.
"""

from __future__ import annotations

import struct
import time
from typing import Any, NamedTuple
from zlib import crc32

from performance.cache import compression, values
from performance.cache.values import Unreadable

MAGIC, VERSION = 0xC1, 1
HEADER = struct.Struct(">BBBI")
REFRESH = struct.Struct(">dI")
WITH_REFRESH = 0x80
LONGEST_INTEGER = 20  # digits and sign of a 64-bit integer
SMALLEST, LARGEST = -(2**63), 2**63 - 1


class Refresh(NamedTuple):
    """When a value gets stale (Unix time) and how long it took to make (seconds)."""

    stale_at: float
    cost: float

    def is_fresh(self) -> bool:
        return time.time() < self.stale_at


class Entry(NamedTuple):
    value: Any
    refresh: Refresh | None
    raw: bytes | memoryview  # the packed value, for one who wants a copy of his own


class Sealed(NamedTuple):
    data: bytes | int
    raw_size: int

    @property
    def size(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else len(str(self.data))


def seal(value: Any, refresh: Refresh | None = None, compressor: str = "zstd") -> Sealed:
    """The entry of a value. Raises Unstorable for a type that would not come back as it is."""
    if type(value) is int and refresh is None and SMALLEST <= value <= LARGEST:
        return Sealed(value, 8)
    packed = values.pack(value)
    flags, body = compression.shrink(packed, compressor)
    if refresh is not None:
        flags |= WITH_REFRESH
        body = REFRESH.pack(refresh.stale_at, min(int(refresh.cost * 1e6), 2**32 - 1)) + body
    checksum = crc32(body, flags)
    return Sealed(HEADER.pack(MAGIC, VERSION, flags, checksum) + body, len(packed))


def open_entry(data: bytes) -> Entry:
    """Raises Unreadable for anything that `seal` did not make, in this version, bit for bit."""
    if data[:1] != b"\xc1":
        return Entry(_integer(data), None, data)
    if len(data) < HEADER.size:
        raise Unreadable("a cut entry")
    _, version, flags, checksum = HEADER.unpack_from(data)
    body = memoryview(data)[HEADER.size :]
    if version != VERSION or crc32(body, flags) != checksum:
        raise Unreadable("another version, or a damaged entry")
    refresh = None
    if flags & WITH_REFRESH:
        if len(body) < REFRESH.size:
            raise Unreadable("a cut entry")
        stale_at, cost = REFRESH.unpack_from(body)
        refresh, body = Refresh(stale_at, cost / 1e6), body[REFRESH.size :]
    packed = compression.restore(flags & ~WITH_REFRESH, body)
    return Entry(values.unpack(packed), refresh, packed)


def _integer(data: bytes) -> int:
    if len(data) > LONGEST_INTEGER or not data.removeprefix(b"-").isdigit():
        raise Unreadable("not an entry of this cache")
    return int(data)
