"""The types that keep their identity in the cache: how each becomes plain data, and back."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from pickle import PicklingError
from typing import Any, NamedTuple

import msgspec

Pack = Callable[[Any], Any]
Unpack = Callable[[Any], Any]


class Kind(NamedTuple):
    name: str
    pack: Pack
    unpack: Unpack


class Unstorable(TypeError, PicklingError):
    """A value of a type that the cache would not give back as it was.

    Also the error of Django's own backends, for callers who expect that one; nothing is pickled.
    """

    def __init__(self, kind: type) -> None:
        super().__init__(
            f"the cache cannot store {kind.__module__}.{kind.__qualname__}: pass plain values, or "
            "register the type with performance.cache.register"
        )


by_type: dict[type, Kind] = {}
by_name: dict[str, Kind] = {}


def add(kind: type, name: str, pack: Pack, unpack: Unpack) -> None:
    """Let values of exactly this type be stored; raises ValueError if the name means another type."""
    if name in by_name and by_type.get(kind, (None,))[0] != name:
        raise ValueError(f"{name!r} is the name of another type")
    by_type[kind] = by_name[name] = Kind(name, pack, unpack)


def register[T: type](cls: T, *, name: str = "") -> T:
    """Let the cache store a dataclass, Struct, named tuple or enum of yours; a class decorator.

    Entries hold the name ("module.Class" unless given) and the fields by name. Rename a field or
    the class and old entries are misses, not errors.
    """
    add(cls, name or f"{cls.__module__}.{cls.__qualname__}", *_ways(cls))
    return cls


def _ways(cls: type) -> tuple[Pack, Unpack]:
    if issubclass(cls, enum.Enum):
        return lambda member: member.name, lambda stored: cls[stored]
    if issubclass(cls, msgspec.Struct):
        return _fields(cls.__struct_fields__), lambda stored: cls(**stored)
    if dataclasses.is_dataclass(cls):
        return _fields(tuple(f.name for f in dataclasses.fields(cls))), _rebuild(cls)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return list, lambda stored: cls(*stored)
    raise Unstorable(cls)


def _fields(names: tuple[str, ...]) -> Pack:
    return lambda value: {name: getattr(value, name) for name in names}


def _rebuild(cls: type[Any]) -> Unpack:
    """Set the fields without __init__: it may ask for other arguments and may compute."""
    names = {f.name for f in dataclasses.fields(cls)}

    def unpack(stored: dict[str, Any]) -> Any:
        if stored.keys() != names:
            raise ValueError("the fields of the class have changed")
        value = object.__new__(cls)
        for name, item in stored.items():
            object.__setattr__(value, name, item)
        return value

    return unpack
