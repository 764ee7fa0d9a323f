from __future__ import annotations

import collections
import contextlib
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import pathlib
import uuid
import zoneinfo
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet, Value
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import strategies as st

from performance.cache import freeze
from performance.cache.frozen import FrozenDict, is_frozen
from performance.cache.kinds import Unstorable, register
from performance.cache.stored import stored
from performance.cache.values import NAMED, Unreadable, pack, unpack


@register
@dataclass(frozen=True)
class Point:
    x: int
    y: Any


@register
@dataclass
class Counter:
    n: int

    def __post_init__(self) -> None:
        raise AssertionError("reading from the cache must not run code of the class")


@register
class Colour(enum.Enum):
    RED = object()


@register
class Pair(NamedTuple):
    left: Any
    right: Any


@register
class Frame(msgspec.Struct, frozen=True):
    text: str
    parts: tuple[int, ...]


class Unknown:
    pass


NAIVE = dt.datetime(1, 1, 1)  # noqa: DTZ001
OSLO = zoneinfo.ZoneInfo("Europe/Oslo")
VALUES: list[Any] = [
    None, True, False, 0, -1, 2**63, -(2**63), 2**64, -(10**40), 10**1200, 1.5, float("inf"), -0.0, 1 + 2j,
    "", "text", "naïve ☃ 🙂", "\ud800 alone", "\x00", b"", b"\xff\x00", bytearray(b"x"),
    [], [1, [2, []]], (), (1, (2,)), {1, "a", (2,)}, frozenset({1}), {}, {"a": {"b": [()]}},
    {7: "int key", None: 1, (1, 2): "tuple", 1.5: b"", b"b": 0, True: 2, "\udfff": 2},
    dt.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=dt.UTC), NAIVE, NAIVE.max,
    dt.datetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=1), dt.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-5, minutes=-30))),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1), "CET")),
    dt.date(2026, 2, 3), dt.time(1, 2, 3, 4), dt.time(1, tzinfo=dt.UTC), dt.timedelta(days=-1, microseconds=1),
    dt.UTC, OSLO, decimal.Decimal("1.10"), decimal.Decimal("NaN"), decimal.Decimal("-Infinity"),
    uuid.UUID(int=7), fractions.Fraction(1, 3), range(1, 10, 3), slice(1, None), ...,
    collections.deque([1, 2], maxlen=2), collections.OrderedDict([("b", 1), ("a", 2)]),
    collections.Counter("aab"), collections.defaultdict(list, {"a": [1]}), collections.defaultdict(None, a=1),
    ipaddress.ip_address("::1"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("10.0.0.1/8"),
    pathlib.PurePosixPath("/a"), mark_safe("<b>"), FrozenDict(a=1),
    Point(1, (2, Point(3, None))), Colour.RED, Pair(1, {"a": {2}}), Frame("t", (1, 2)), stored({"a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(
    "value", VALUES, ids=[f"{type(v).__name__}{n}" for n, v in enumerate(VALUES)]
)
def test_a_value_comes_back_equal_and_of_its_type(value: Any) -> None:
    for wrapped in (value, [value], {"k": value}, (value, {"k": [value]})):
        found = unpack(pack(wrapped))
        assert repr(found) == repr(wrapped)
        assert type(found) is type(wrapped)


def test_details_that_equality_hides() -> None:
    moment = dt.datetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=1)
    found = unpack(pack(moment))
    assert (found.fold, found.tzinfo) == (1, OSLO)
    assert isinstance(unpack(pack([mark_safe("a")]))[0], SafeString)
    assert list(unpack(pack(collections.OrderedDict(b=1, a=2)))) == ["b", "a"]
    assert unpack(pack(collections.deque([1], maxlen=3))).maxlen == 3
    assert unpack(pack(collections.defaultdict(list)))["new"] == []


def test_a_dataclass_is_restored_without_running_its_code() -> None:
    counter = object.__new__(Counter)
    counter.n = 3
    assert unpack(pack(counter)).n == 3


class StringSubclass(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        Unknown(),
        Unknown,
        lambda: 1,
        (n for n in ()),
        StringSubclass("a"),
        open,
        ValueError("x"),
        memoryview(b""),
    ],
    ids=lambda v: getattr(type(v), "__name__", "?"),
)
def test_what_would_come_back_as_something_else_is_refused_by_name(value: Any) -> None:
    with pytest.raises(Unstorable, match=type(value).__name__):
        pack({"deep": [value]})


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(TypeError, match="contains itself"):
        pack(loop)


def test_a_name_belongs_to_one_type() -> None:
    with pytest.raises(ValueError, match="another type"):
        register(Frame, name="s")


def test_a_class_whose_fields_changed_is_unreadable() -> None:
    old = pack(Point(1, 2)).replace(b"\xa1x", b"\xa1z")
    with pytest.raises(Unreadable):
        unpack(old)


def test_a_model_instance() -> None:
    user = User(
        username="alice", email="a@example.com", date_joined=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )
    found = unpack(pack(user))
    assert (type(found), found.username, found.date_joined) == (User, "alice", user.date_joined)
    assert found._state.adding is True
    deferred = User.from_db("default", ["id", "username"], [7, "bob"])
    again = unpack(pack([deferred]))[0]
    assert (again.pk, again.username, again._state.adding, again._state.db) == (
        7,
        "bob",
        False,
        "default",
    )
    assert "email" in again.get_deferred_fields()
    assert again == deferred


def test_responses() -> None:
    response = HttpResponse(
        "body", status=201, reason="Made", content_type="text/plain; charset=latin-1"
    )
    response["X-Thing"] = "1"
    response.set_cookie("c", "a b", max_age=5, httponly=True)
    found = unpack(pack(response))
    assert (found.content, found.status_code, found.reason_phrase) == (b"body", 201, "Made")
    assert (found.charset, found["X-Thing"], found["Content-Type"]) == (
        "latin-1",
        "1",
        response["Content-Type"],
    )
    assert found.cookies.output() == response.cookies.output()
    assert unpack(pack(HttpResponseNotAllowed(["GET"])))["Allow"] == "GET"
    assert unpack(pack(JsonResponse({"a": 1}))).content == b'{"a": 1}'


def test_a_template_response_once_rendered() -> None:
    template = engines["django"].from_string("hello {{ name }}")
    response = TemplateResponse(None, template, {"name": "you"})
    with pytest.raises(TypeError, match="not rendered"):
        pack(response)
    found = unpack(pack(response.render()))
    assert type(found) is TemplateResponse
    assert (found.content, found.is_rendered) == (b"hello you", True)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_unreadable(data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        unpack(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000,
        b"\xc7\x03\x01\x92\xa1r\xc0",
        b"\xd4\x63\x00",
        b"",
    ],
    ids=["length", "depth", "arguments", "extension", "empty"],
)
def test_bombs_and_strangers(data: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(data)


def test_frozen() -> None:
    page = freeze([{"id": 1, "tags": ["a"], "when": dt.datetime.now(dt.UTC)}, {"set": {1}}])
    assert is_frozen(page)
    assert page[0]["tags"] == ("a",)
    assert is_frozen((Point(1, "a"), Frame("a", (1,)), Pair(1, 2), Colour.RED, stored(page)))
    for value in (
        [],
        {},
        ([],),
        Point(1, []),
        stored([]),
        Pair(1, {}),
        Unknown(),
        FrozenDict(a=[]),
    ):
        assert not is_frozen(value)
    for change in (
        lambda d: d.update(a=1),
        lambda d: d.__setitem__("a", 1),
        lambda d: d.pop("id"),
        lambda d: d.clear(),
    ):
        with pytest.raises(TypeError, match="copy it"):
            change(page[0])
    with pytest.raises(TypeError, match="copy it"):
        page[0] |= {"a": 1}
    assert page[0].copy() == dict(page[0])
    assert type(page[0].copy()) is dict


@pytest.mark.parametrize(
    "entry",
    [["ba", 40_000_000], ["fr", ["1e300000"]], ["fr", ["1e300000", 1]], ["IPv4Address", 7]],
)
def test_a_small_entry_does_not_open_as_a_large_value(entry: list[Any]) -> None:
    encode = msgspec.msgpack.encode
    with pytest.raises(Unreadable):
        unpack(encode(msgspec.msgpack.Ext(NAMED, encode(entry))))


@pytest.mark.django_db
def test_a_queryset(django_assert_num_queries: Any) -> None:
    for name in ("alice", "bob", "carol"):
        User.objects.create(username=name)
    asked = User.objects.exclude(username="bob").order_by("-username").annotate(one=Value(1))
    with django_assert_num_queries(1):
        packed = pack(asked)
    with django_assert_num_queries(0):
        found = unpack(packed)
        assert [(user.username, user.one) for user in found] == [("carol", 1), ("alice", 1)]
        assert isinstance(found, QuerySet)
    assert found.filter(username__in=["alice", "bob"]).count() == 1
    assert list(unpack(pack(User.objects.none()))) == []
    with pytest.raises(TypeError, match="list"):
        pack(User.objects.values("username"))
