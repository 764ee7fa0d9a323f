"""Zstandard with a dictionary trained on chat, for payloads too small for plain compressors."""

from __future__ import annotations

import functools
import threading
from importlib.resources import files

import zstandard

from performance.cache.values import Unreadable

PLAIN, ZSTD, ZSTD_DICTIONARY = 0, 1, 2
SMALLEST = 64  # bytes; below this nothing is gained
DICTIONARY_UP_TO = 16_384  # bytes; above this the payload is its own dictionary
LARGEST = 64 * 1024 * 1024  # bytes of one value, packed; more is refused both ways
LEVEL, DICTIONARY_LEVEL = 1, 3


class Tools(threading.local):
    """zstandard's objects may not be shared by threads."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=LEVEL)
        self.decompress = zstandard.ZstdDecompressor()
        self.compress_small: zstandard.ZstdCompressor | None = None
        self.decompress_small: zstandard.ZstdDecompressor | None = None


_tools = Tools()


def shrink(packed: bytes, compressor: str = "zstd") -> tuple[int, bytes]:
    """A flag and the bytes it describes, never longer than `packed`. Raises ValueError if too big."""
    if len(packed) > LARGEST:
        raise ValueError(f"a value of {len(packed)} bytes; the cache stores at most {LARGEST}")
    if len(packed) < SMALLEST or compressor == "none":
        return PLAIN, packed
    if len(packed) <= DICTIONARY_UP_TO:
        flag, data = ZSTD_DICTIONARY, _small_compressor().compress(packed)
    else:
        flag, data = ZSTD, _tools.compress.compress(packed)
    return (flag, data) if len(data) < len(packed) else (PLAIN, packed)


def restore(flag: int, data: memoryview) -> bytes | memoryview:
    """Raises Unreadable for what `shrink` did not make, before any memory is taken for it."""
    if flag == PLAIN:
        return data
    if flag not in (ZSTD, ZSTD_DICTIONARY):
        raise Unreadable("an entry of a newer version")
    try:
        # max_output_size is ignored for a frame that declares its size: look at that first.
        if not 0 < zstandard.frame_content_size(data) <= LARGEST:
            raise Unreadable("an entry that would unpack to too much")
        return (_tools.decompress if flag == ZSTD else _small_decompressor()).decompress(data)
    except zstandard.ZstdError:
        raise Unreadable("a damaged entry") from None


@functools.cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    trained = zstandard.ZstdCompressionDict(
        files("performance.cache").joinpath("chat.zdict").read_bytes()
    )
    trained.precompute_compress(level=DICTIONARY_LEVEL)
    return trained


def _small_compressor() -> zstandard.ZstdCompressor:
    if _tools.compress_small is None:
        _tools.compress_small = zstandard.ZstdCompressor(
            level=DICTIONARY_LEVEL, dict_data=_dictionary()
        )
    return _tools.compress_small


def _small_decompressor() -> zstandard.ZstdDecompressor:
    if _tools.decompress_small is None:
        _tools.decompress_small = zstandard.ZstdDecompressor(dict_data=_dictionary())
    return _tools.decompress_small
