"""Ten seconds of a process's metrics as bytes, and the same of all processes merged.

A process writes its whole slot each time, under its own name: written twice is written once, and a
process that dies half way leaves the slot as it was a second before.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import msgspec
import zstandard

from performance.metrics.definitions import Kind, adds_up
from performance.metrics.recording import Cells
from performance.metrics.series import Series, parse
from performance.metrics.summary import Summary

SECONDS = 10
MOST_BYTES = 64 << 20  # what a damaged or hostile slot may open to

# Kind, series, and the numbers, which are read only where somebody wants them.
_entries = msgspec.msgpack.Decoder(list[tuple[str, str, msgspec.Raw]])
_numbers = msgspec.msgpack.Decoder(tuple[float, float, float, float, dict[int, int]])

Slot = dict[Series, tuple[Kind, Summary]]


class Unreadable(Exception):
    """No slot, or one of another version."""


def slot_at(moment: float) -> int:
    """The number of the slot that a Unix time falls in."""
    return int(moment // SECONDS)


def pack(cells: Cells, kind: Any) -> bytes:
    """`kind(name)` tells each metric's kind."""
    entries = [(kind(s.name).value, s.text, summary.stored()) for s, summary in cells.items()]
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(entries))


def unpack(blob: bytes, names: Container[str] | None = None) -> Slot:
    """The slot of one process; `names` are the metrics wanted, None all. Raises Unreadable."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(blob, max_output_size=MOST_BYTES)
        return {
            parse(text): (Kind(kind), Summary.restored(_numbers.decode(stored)))
            for kind, text, stored in _entries.decode(raw)
            if names is None or text.partition("\x1f")[0] in names
        }
    except (zstandard.ZstdError, msgspec.MsgspecError, ValueError, MemoryError) as error:
        raise Unreadable(type(error).__name__) from None


def merged(parts: Iterable[Slot]) -> Slot:
    """The slot of all processes."""
    whole: Slot = {}
    for part in parts:
        for series, (kind, summary) in part.items():
            if kind is Kind.LEVEL and adds_up(series.name):
                whole.setdefault(series, (kind, Summary()))[1].beside(summary)
            elif series not in whole:
                whole[series] = (kind, summary)
            else:
                whole[series][1].merge(summary)
    return whole
