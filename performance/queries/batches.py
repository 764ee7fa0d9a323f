"""What a process found out in some seconds, as it is sent to the writer: no value is in it."""

from __future__ import annotations

import msgspec

from performance.metrics.summary import Stored


class Text(msgspec.Struct, array_like=True, frozen=True):
    id: int
    sql: str
    kind: str
    tables: tuple[str, ...]
    alias: str


class Hour(msgspec.Struct, array_like=True):
    """One fingerprint in one hour; `summary` is of seconds."""

    fingerprint: int
    hour: int
    rows: int
    errors: int
    summary: Stored


class Caller(msgspec.Struct, array_like=True):
    """See CallSite."""

    fingerprint: int
    scope_kind: str
    scope_name: str
    file: str
    function: str
    line: int
    template: bool
    calls: int
    seconds: float


class Sample(msgspec.Struct, array_like=True):
    """See QuerySample; `at` in seconds since 1970."""

    fingerprint: int | None
    finding: str
    scope_kind: str
    scope_name: str
    file: str
    function: str
    line: int
    template: bool
    seconds: float
    repeats: int
    times: int
    remedy: str
    correlation_id: str
    at: float


class Batch(msgspec.Struct, array_like=True):
    """Number `number` of the process, which counts them from 1."""

    process: str
    number: int
    texts: list[Text]
    hours: list[Hour]
    callers: list[Caller]
    samples: list[Sample]


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Batch).decode
