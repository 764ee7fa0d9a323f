"""Values that nobody can change, so that one copy serves every thread of a process."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import ipaddress
import uuid
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import msgspec
from django.utils.safestring import SafeString

ATOMS: frozenset[type] = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, range, SafeString,
        datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone,
        decimal.Decimal, fractions.Fraction, uuid.UUID, zoneinfo.ZoneInfo,
        ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
    }
)  # fmt: skip


class FrozenDict(dict[Any, Any]):
    """A dict that refuses every change; templates, json.dumps and ** take it as the dict it is."""

    __slots__ = ()

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("this dict is shared by all who read it from the cache: copy it first")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> dict[Any, Any]:
        return dict(self)

    def copy(self) -> dict[Any, Any]:
        return dict(self)

    def __deepcopy__(self, memo: object) -> FrozenDict:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


def freeze(value: Any) -> Any:
    """`value` with its lists as tuples, its dicts as FrozenDict and its sets as frozensets.

    What it does not know is left as it is: a value with such a part is copied on every read.
    """
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is list or kind is tuple:
        return tuple([freeze(item) for item in value])
    if isinstance(value, FrozenDict):
        return value
    if isinstance(value, Mapping) and kind is dict:
        return FrozenDict({key: freeze(item) for key, item in value.items()})
    if kind is set:
        return frozenset(value)
    return value


def is_frozen(value: Any) -> bool:
    """Whether no part of `value` can be changed by one who holds it."""
    kind = type(value)
    if kind in ATOMS or isinstance(value, enum.Enum):
        return True
    if kind is tuple or kind is frozenset:
        return _are_frozen(value)
    if kind is FrozenDict:
        return _are_frozen(value.values())
    return _are_frozen(parts) if (parts := frozen_parts(value)) is not None else False


def _are_frozen(parts: Iterable[Any]) -> bool:
    return all(is_frozen(part) for part in parts if type(part) not in ATOMS)


def frozen_parts(value: Any) -> list[Any] | None:
    """The fields of a frozen dataclass or Struct or of a named tuple; None for anything else."""
    kind = type(value)
    if isinstance(value, msgspec.Struct):
        return list(msgspec.structs.astuple(value)) if kind.__struct_config__.frozen else None
    if dataclasses.is_dataclass(value) and kind.__dataclass_params__.frozen:
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return list(value)
    return None
