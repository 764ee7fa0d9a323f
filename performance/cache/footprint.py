"""How much memory a value of the first tier takes, so that its bound in bytes is one."""

from __future__ import annotations

import fractions
import ipaddress
import uuid
from collections.abc import Iterable, Sequence
from sys import getsizeof
from typing import Any

from performance.cache.frozen import ATOMS, FrozenDict, frozen_parts

MANY = 20  # small numbers and the like that a long sequence may hold again and again
INSTANCE = 100  # bytes of an object's attributes beyond what getsizeof says of it, at most
_ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address)
_NETWORKS = (ipaddress.IPv4Network, ipaddress.IPv6Network)
_WITH_PARTS = frozenset({range, uuid.UUID, fractions.Fraction, *_ADDRESSES, *_NETWORKS})
_LEAVES = ATOMS - _WITH_PARTS


def held_bytes(value: Any) -> int:
    """Bytes of a frozen value; what it shares with others (types, zones, None) is counted too."""
    return getsizeof(value) + _beyond(value, set())


def _beyond(value: Any, shapes: set[tuple[Any, ...]]) -> int:
    """Bytes of what a value holds."""
    kind, parts = type(value), _parts(value)
    size = sum(map(getsizeof, _once_each(parts)))
    if kind is FrozenDict:
        size += _of_keys(value, shapes)
    elif kind is not tuple and kind not in _LEAVES:
        size += INSTANCE
    for part in parts:
        if type(part) not in _LEAVES and part != ():
            size += _beyond(part, shapes)
    return size


def _of_keys(value: FrozenDict, shapes: set[tuple[Any, ...]]) -> int:
    """Rows of one shape share their keys: the decoder makes each short one once."""
    keys = tuple(value)
    if keys in shapes:
        return 0
    shapes.add(keys)
    return sum([getsizeof(key) + _beyond(key, shapes) for key in keys])


def _once_each(parts: Sequence[Any]) -> Iterable[Any]:
    return parts if len(parts) < MANY else dict(zip(map(id, parts), parts, strict=True)).values()


def _parts(value: Any) -> Sequence[Any]:
    kind = type(value)
    if kind in _LEAVES:
        return ()
    if kind is tuple:
        return value  # type: ignore[no-any-return]
    if kind is frozenset:
        return tuple(value)
    if kind is FrozenDict:
        return tuple(value.values())
    if kind in _WITH_PARTS:
        return _numbers(value)
    return frozen_parts(value) or ()


def _numbers(value: Any) -> Sequence[Any]:
    if isinstance(value, range):
        return value.start, value.stop, value.step
    if isinstance(value, fractions.Fraction):
        return value.numerator, value.denominator
    if isinstance(value, _NETWORKS):
        return value.network_address, value.netmask, vars(value)
    return (value.int,) if isinstance(value, uuid.UUID) else ()
