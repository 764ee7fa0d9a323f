"""Python's own types beyond None, bool, int, float, str, bytes, list and dict."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import ipaddress
import pathlib
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

from performance.cache.kinds import add

ZERO = datetime.timedelta(0)


def _text(stored: Any) -> str:
    if type(stored) is not str:
        raise TypeError("the stored form is a text")
    return stored


def _reader(kind: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda stored: kind(_text(stored))


def _zone(value: datetime.tzinfo | None) -> Any:
    if value is None:
        return None
    if isinstance(value, zoneinfo.ZoneInfo) and value.key:
        return value.key
    if type(value) is datetime.timezone:
        name = value.tzname(None)
        plain = datetime.timezone(value.utcoffset(None)).tzname(None)
        return [_duration(value.utcoffset(None)), None if name == plain else name]
    raise TypeError(f"the cache cannot store the time zone {type(value).__qualname__}")


def _read_zone(stored: Any) -> datetime.tzinfo | None:
    if stored is None or isinstance(stored, str):
        return None if stored is None else zoneinfo.ZoneInfo(stored)
    offset = _read_duration(stored[0])
    if stored[1] is not None:
        return datetime.timezone(offset, stored[1])
    return datetime.UTC if offset == ZERO else datetime.timezone(offset)


def _duration(value: datetime.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _read_duration(stored: list[int]) -> datetime.timedelta:
    return datetime.timedelta(*stored)


def _moment(value: datetime.datetime) -> list[Any]:
    bare = value.replace(tzinfo=None, fold=0)
    return [bare.isoformat(), _zone(value.tzinfo), value.fold]


def _read_moment(stored: list[Any]) -> datetime.datetime:
    text, zone, fold = stored
    return datetime.datetime.fromisoformat(text).replace(tzinfo=_read_zone(zone), fold=fold)


def _time(value: datetime.time) -> list[Any]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), _zone(value.tzinfo), value.fold]


def _read_time(stored: list[Any]) -> datetime.time:
    text, zone, fold = stored
    return datetime.time.fromisoformat(text).replace(tzinfo=_read_zone(zone), fold=fold)


def _read_fraction(stored: list[Any]) -> fractions.Fraction:
    numerator, denominator = stored
    if type(numerator) is not int or type(denominator) is not int:
        raise TypeError("a fraction is two integers")  # of the text "1e9999999" it would make them
    return fractions.Fraction(numerator, denominator)


def _factory(value: collections.defaultdict[Any, Any]) -> list[Any]:
    factory = value.default_factory
    if factory is not None and factory not in FACTORIES.values():
        raise TypeError(f"the cache cannot store a defaultdict of {factory!r}")
    name = factory.__name__ if isinstance(factory, type) else None
    return [name, list(value.items())]


FACTORIES: dict[str | None, Any] = {k.__name__: k for k in (list, dict, set, int, float, str, bool)}
FACTORIES[None] = None

add(set, "s", list, set)
add(frozenset, "fs", list, frozenset)
add(datetime.datetime, "dt", _moment, _read_moment)
add(datetime.date, "d", datetime.date.isoformat, datetime.date.fromisoformat)
add(datetime.time, "tm", _time, _read_time)
add(datetime.timedelta, "td", _duration, _read_duration)
add(datetime.timezone, "tz", _zone, _read_zone)
add(zoneinfo.ZoneInfo, "zi", _zone, _read_zone)
add(decimal.Decimal, "dec", str, _reader(decimal.Decimal))
add(uuid.UUID, "u", lambda value: value.bytes, lambda stored: uuid.UUID(bytes=stored))
add(complex, "c", lambda value: [value.real, value.imag], lambda stored: complex(*stored))
add(
    fractions.Fraction,
    "fr",
    lambda value: [value.numerator, value.denominator],
    _read_fraction,
)
add(range, "r", lambda value: [value.start, value.stop, value.step], lambda stored: range(*stored))
add(slice, "sl", lambda v: [v.start, v.stop, v.step], lambda stored: slice(*stored))
add(bytearray, "ba", bytes, lambda stored: bytearray(memoryview(stored)))
add(type(...), "e", lambda value: None, lambda stored: ...)
add(
    collections.deque,
    "dq",
    lambda value: [list(value), value.maxlen],
    lambda stored: collections.deque(*stored),
)
add(
    collections.OrderedDict,
    "od",
    lambda value: [list(item) for item in value.items()],
    collections.OrderedDict,
)
add(collections.Counter, "ct", dict, collections.Counter)
add(
    collections.defaultdict,
    "dd",
    _factory,
    lambda stored: collections.defaultdict(FACTORIES[stored[0]], stored[1]),
)
for _address in (
    ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
    ipaddress.IPv4Interface, ipaddress.IPv6Interface,
    pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath,
):  # fmt: skip
    add(_address, _address.__name__, str, _reader(_address))
