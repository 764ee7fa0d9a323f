"""Values to MessagePack and back, each of the type it was; nothing in the bytes names code to run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from performance.cache import kinds, standard_kinds  # noqa: F401 - registers
from performance.cache.django_kinds import FAMILIES, family_kind
from performance.cache.frozen import FrozenDict
from performance.cache.kinds import Unstorable

PLAIN: frozenset[type] = frozenset({type(None), bool, int, float, str, bytes})
NAMED, PAIRS, BIG_INT, LONE_SURROGATES, TUPLE, FROZEN_DICT, FROZEN_ROWS = range(1, 8)
SMALLEST, LARGEST = -(2**63), 2**64 - 1

Ext = msgspec.msgpack.Ext
_encoder = msgspec.msgpack.Encoder()
_TEXT = frozenset({str})
ROWS = frozenset({FrozenDict})
NOTHING = b"\x90"  # an empty array


class Unreadable(ValueError):
    """Bytes that no value of ours makes: corrupt, foreign, poisoned or of another version."""


def pack(value: Any) -> bytes:
    """Raises Unstorable, naming the type, for what would not come back as it is."""
    try:
        return _encode(_tag(value))
    except RecursionError:
        raise TypeError("the cache cannot store a value that contains itself") from None


def unpack(data: bytes | memoryview) -> Any:
    """Raises Unreadable and nothing else, whatever the bytes."""
    try:
        return _decoder.decode(data)
    except Exception as error:  # noqa: BLE001 - hostile bytes reach the unpacker of any type
        raise Unreadable(f"{type(error).__name__} in an entry") from None


def _tag(value: Any) -> Any:
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is dict:
        return _tag_dict(value)
    if kind is list:
        return value if PLAIN.issuperset(map(type, value)) else _tag_list(value)
    if kind is tuple:
        return _tag_tuple(value)
    if kind is FrozenDict:
        return Ext(FROZEN_DICT, _encode(_tag_dict(value)))
    return _tag_named(value, kind)


def _tag_dict(value: dict[Any, Any]) -> Any:
    if not _TEXT.issuperset(map(type, value)):
        return Ext(PAIRS, _encode([[_tag(k), _tag(v)] for k, v in value.items()]))
    if PLAIN.issuperset(map(type, value.values())):
        return value
    return {key: item if type(item) in PLAIN else _tag(item) for key, item in value.items()}


def _tag_tuple(value: tuple[Any, ...]) -> Any:
    if value and ROWS.issuperset(map(type, value)):  # as one: each extension is a call when read
        return Ext(FROZEN_ROWS, _encode([_tag_dict(row) for row in value]))
    return Ext(TUPLE, _encode(_tag_list(value)))


def _tag_list(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [item if type(item) in PLAIN else _tag(item) for item in value]


def _tag_named(value: Any, kind: type) -> Any:
    if kind is datetime and value.tzinfo is UTC:
        return value  # msgspec's own timestamp, which comes back so
    known = kinds.by_type.get(kind) or family_kind(value)
    if known is None:
        raise Unstorable(kind)
    return Ext(NAMED, _encode([known.name, _tag(known.pack(value))]))


def _encode(tree: Any) -> bytes:
    try:
        return _encoder.encode(tree)
    except (OverflowError, UnicodeEncodeError):
        return _encoder.encode(_tag_rare(tree))


def _tag_rare(tree: Any) -> Any:
    """Integers beyond 64 bits and strings that UTF-8 has no form for, anywhere in a tagged tree."""
    kind = type(tree)
    if kind is list:
        return [_tag_rare(item) for item in tree]
    if kind is dict:
        pairs = [[_tag_rare(k), _tag_rare(v)] for k, v in tree.items()]
        return Ext(PAIRS, _encoder.encode(pairs))
    if kind is int and not SMALLEST <= tree <= LARGEST:
        size = tree.bit_length() // 8 + 1
        return Ext(BIG_INT, tree.to_bytes(size, "big", signed=True))
    if kind is str and not tree.isascii():
        return Ext(LONE_SURROGATES, tree.encode("utf-8", "surrogatepass"))
    return tree


def _read_extension(code: int, data: memoryview) -> Any:
    if code == TUPLE:
        return () if data == NOTHING else tuple(_decoder.decode(data))
    if code == FROZEN_ROWS:
        return tuple(map(FrozenDict, _decoder.decode(data)))
    if code == FROZEN_DICT:
        return FrozenDict(_decoder.decode(data))
    if code == NAMED:
        name, stored = _decoder.decode(data)
        kind = FAMILIES.get(name) or kinds.by_name[name]
        return kind.unpack(stored)
    if code == PAIRS:
        return dict(_decoder.decode(data))
    if code == BIG_INT:
        return int.from_bytes(data, "big", signed=True)
    if code == LONE_SURROGATES:
        return bytes(data).decode("utf-8", "surrogatepass")
    raise Unreadable("an entry of a newer version")


_decoder = msgspec.msgpack.Decoder(ext_hook=_read_extension)
