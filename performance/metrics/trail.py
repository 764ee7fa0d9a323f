"""Which requests there were, by their ids, for a day: all that is known of one that was fine and quick.

Sixteen bytes for each beside its labels, a packet a second from each process, in the round trip that the
metrics take anyway. Redis keeps the newest packets of all processes, up to a number of bytes. An id is
kept as a digest: what is not asked for by its id is not found.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
import redis

from performance import conf
from performance.metrics import store

AT_ONCE = 2000  # packets read in one round trip
LONGEST = 100  # characters of a label

_HEAD = struct.Struct(">I")  # when the packet was begun, Unix seconds: what Redis looks at
_REQUEST = struct.Struct(">8sIf")  # digest of the id, Unix seconds, seconds that it took
_Packet = list[tuple[str, str, str, bytes]]  # what, method, how it ended, and its requests
_packet = msgspec.msgpack.Decoder(_Packet)


class Step(msgspec.Struct, frozen=True):
    """One request; `what` is its view, `how` its class of status or how it ended, `at` when it began."""

    what: str
    method: str
    how: str
    at: float
    seconds: float


class Trail:
    """The requests of one process between two flushes, in the flusher's thread."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, str], bytearray] = {}
        self._began = 0

    def add(self, request_id: str, labels: tuple[str, str, str], at: float, seconds: float) -> None:
        self._began = self._began or int(at)
        key = (labels[0][:LONGEST], labels[1][:LONGEST], labels[2][:LONGEST])
        packed = _REQUEST.pack(_digest(request_id), int(at), seconds)
        self._requests.setdefault(key, bytearray()).extend(packed)

    def take(self) -> bytes:
        """The packet of what was added since the last call; empty where there was nothing."""
        requests, self._requests = self._requests, {}
        began, self._began = self._began, 0
        if not requests:
            return b""
        return _HEAD.pack(began) + msgspec.msgpack.encode([(*k, v) for k, v in requests.items()])


def of(request_id: str) -> list[Step]:
    """The requests with that id, oldest first. None where Redis is away, or they are too old."""
    wanted = _digest(request_id)
    packets = [packet for packet in _packets() if wanted in packet]
    steps = (step for packet in reversed(packets) for step in _steps(packet, wanted))
    # A packet whose receipt was lost is there twice; within a second they are in their order.
    return sorted(dict.fromkeys(steps), key=lambda step: step.at)


def since() -> datetime | None:
    """When the oldest request that is known began; None where none is, or Redis is away."""
    try:
        oldest: Any = store.client().lindex(store.TRAIL, 0) if _is_kept() else None
    except (redis.RedisError, OSError):
        return None
    return datetime.fromtimestamp(_HEAD.unpack_from(oldest)[0], UTC) if oldest else None


def _is_kept() -> bool:
    settings = conf.current().metrics
    return bool(settings.enabled and settings.location)


def _digest(request_id: str) -> bytes:
    return blake2b(request_id.encode(errors="replace"), digest_size=8).digest()


def _packets() -> Iterator[bytes]:
    """Newest first. What comes in meanwhile moves the window towards the newer ones: none is missed."""
    if not _is_kept():
        return
    last = -1
    try:
        while found := _window(last):
            yield from reversed(found)
            last -= AT_ONCE
    except (redis.RedisError, OSError):
        return


def _window(last: int) -> list[bytes]:
    found: Any = store.client().lrange(store.TRAIL, last - AT_ONCE + 1, last)
    return list(found)


def _steps(packet: bytes, wanted: bytes) -> Iterator[Step]:
    try:
        for what, method, how, requests in _packet.decode(packet[_HEAD.size :]):
            for digest, at, seconds in _REQUEST.iter_unpack(requests):
                if digest == wanted:
                    yield Step(what, method, how, at, seconds)
    except (msgspec.MsgspecError, struct.error):  # of another version
        return
