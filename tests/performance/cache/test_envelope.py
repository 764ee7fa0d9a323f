from __future__ import annotations

import contextlib
import datetime as dt
import os
import pickle
import random
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from performance.cache import envelope
from performance.cache.compression import LARGEST
from performance.cache.envelope import HEADER, MAGIC, VERSION, Refresh, open_entry, seal
from performance.cache.values import Unreadable
from tests.benchmarks import payloads


@pytest.mark.parametrize(
    "value", [7, 2**70, "x", "text " * 1000, payloads.conversation(), None, 2.5]
)
@pytest.mark.parametrize("refresh", [None, Refresh(1_790_000_000.5, 0.25)])
def test_round_trip(value: Any, refresh: Refresh | None) -> None:
    sealed = seal(value, refresh)
    data = sealed.data if isinstance(sealed.data, bytes) else str(sealed.data).encode()
    entry = open_entry(data)
    assert (entry.value, entry.refresh) == (value, refresh)
    assert len(data) == sealed.size <= sealed.raw_size + 24


def test_integers_stay_what_redis_counts_with() -> None:
    assert seal(41).data == 41
    assert open_entry(b"-12").value == -12
    assert isinstance(seal(True).data, bytes)
    assert isinstance(seal(2**63).data, bytes)


@pytest.mark.parametrize(
    "value", [payloads.small(), payloads.conversation(2, 4)], ids=["small", "page"]
)
def test_every_flipped_bit_is_noticed(value: Any) -> None:
    data = seal(value, Refresh(1.0, 2.0)).data
    assert isinstance(data, bytes)
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(Unreadable):
            open_entry(bytes(flipped))


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xc1", b"\xc1\x01", b"\xc1\x02"]))
def test_foreign_bytes_are_unreadable(data: bytes, start: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert type(open_entry(start + data).value) is int


class Poison:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("/tmp/poisoned-entry",)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_never_run(protocol: int) -> None:
    for data in (pickle.dumps(Poison(), protocol), zlib.compress(pickle.dumps(Poison(), protocol))):
        with pytest.raises(Unreadable):
            open_entry(data)
    assert not Path("/tmp/poisoned-entry").exists()


def _entry(flags: int, body: bytes) -> bytes:
    return HEADER.pack(MAGIC, VERSION, flags, zlib.crc32(body, flags)) + body


def test_a_bomb_takes_no_memory() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(b"\0" * (LARGEST + 1))
    assert len(bomb) < 10_000
    with pytest.raises(Unreadable, match="too much"):
        open_entry(_entry(1, bomb))
    unknown = zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * 10_000_000)
    with pytest.raises(Unreadable, match="too much"):
        open_entry(_entry(1, unknown))


def test_other_versions_and_flags_are_unreadable() -> None:
    with pytest.raises(Unreadable):
        open_entry(_entry(0x40, b"\xc0"))
    newer = bytearray(_entry(0, b"\xc0"))
    newer[1] = VERSION + 1
    with pytest.raises(Unreadable):
        open_entry(bytes(newer))
    assert open_entry(_entry(0, b"\xc0")).value is None


def test_a_value_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        seal(bytes(LARGEST))


def test_sizes_against_pickle() -> None:
    for value, most in (
        (payloads.small(), 0.45),
        (payloads.one_message(), 0.45),
        (payloads.conversation(), 0.46),
    ):
        assert seal(value).size <= most * len(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def test_what_cannot_shrink_is_stored_as_it_is() -> None:
    noise = random.Random(1).randbytes(10_000)
    assert seal(noise).size < 10_000 + 24
    assert seal("a" * 10_000, compressor="none").size > 10_000
    assert envelope.seal(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).size < 24


@pytest.mark.parametrize("data", [b"--5", b"-", b"", b"5-", b"+1", b"1_0", b"1 ", b"9" * 21])
def test_what_is_almost_an_integer_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        open_entry(data)
