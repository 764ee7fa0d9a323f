from __future__ import annotations

import msgspec
import pytest
import zstandard

from performance.metrics import slots
from performance.metrics.recording import Recording
from performance.metrics.summary import Summary


def packed() -> bytes:
    recording = Recording(10)
    recording.count("apples", 3, {"colour": "red"})
    recording.observe("wait_seconds", 0.5, {})
    recording.level("queue", 7, {"level": "high"})
    return slots.pack(recording.take(), recording.kind)


def test_back_comes_what_went_in() -> None:
    found = slots.unpack(packed())
    assert [(str(kind), series.name, one.sum) for series, (kind, one) in found.items()] == [
        ("c", "apples", 3),
        ("d", "wait_seconds", 0.5),
        ("g", "queue", 7),
    ]
    assert [series.name for series in slots.unpack(packed(), {"queue"})] == ["queue"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"no zstandard",
        zstandard.compress(b"no msgpack"),
        zstandard.compress(msgspec.msgpack.encode([["c", "apples", "no numbers"]])),
        zstandard.compress(msgspec.msgpack.encode([["?", "apples", Summary().stored()]])),
        packed()[:-3],
    ],
)
def test_what_is_damaged_is_said_to_be(damaged: bytes) -> None:
    with pytest.raises(slots.Unreadable):
        slots.unpack(damaged)


def test_the_samples_of_many_processes_weigh_no_less_than_those_of_one() -> None:
    def one(*values: float) -> slots.Slot:
        recording = Recording(10)
        for value in values:
            recording.level("requests_in_flight", value, {})
        return slots.unpack(slots.pack(recording.take(), recording.kind))

    ((_, alone),) = slots.merged([one(2, 4)]).values()
    ((_, three),) = slots.merged([one(2, 4), one(5), one(1, 1, 1)]).values()
    assert (alone.count, alone.mean, alone.min, alone.max) == (1, 3, 2, 4)
    assert (three.count, three.mean, three.min, three.max) == (1, 9, 8, 10)
