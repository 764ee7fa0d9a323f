from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine

from conversations import tools
from conversations.tools import ToolContext, ToolError, ToolResult
from conversations.tools.dates import easter, parse_date
from conversations.tools.places import NAMES, find_zone

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # a Tuesday
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def call(time_zone: str = "UTC", **arguments: Any) -> ToolResult:
    context = ToolContext(user_id=1, conversation_id="", time_zone=time_zone)
    return asyncio.run(tools.run("date_and_time", json.dumps(arguments), context))


@pytest.mark.parametrize(
    ("place", "time", "day"),
    [
        ("Tokyo", "21:30", 24),
        ("new york", "07:30", 24),
        ("LA", "04:30", 24),
        ("São Paulo", "09:30", 24),
        ("india", "18:00", 24),
        ("the UK", "12:30", 24),
        ("Auckland", "01:30", 25),
        ("Europe/Berlin", "13:30", 24),
        ("", "12:30", 24),
    ],
)
def test_now(place: str, time: str, day: int) -> None:
    found = call(operation="now", place=place).value
    assert found["time"] == time
    assert found["iso"] == f"2026-11-{day}"


def test_now_is_where_the_user_is() -> None:
    assert call("Asia/Tokyo", operation="now").value["time"] == "21:30"


@pytest.mark.parametrize("place", ["Narnia", "USA", "../etc/passwd", "x" * 80])
def test_unknown_places(place: str) -> None:
    assert "zone" in call(operation="now", place=place).error


def test_every_name_of_a_place_is_known() -> None:
    for zone, names in NAMES.items():
        for name in names.split(","):
            assert str(find_zone(name)) == zone, name


def test_convert() -> None:
    found = call(operation="convert", time="3pm", place="London", to_place="Sydney").value
    assert (found["from_time"], found["time"], found["days_later"]) == ("15:00", "02:00", 1)


@pytest.mark.parametrize("time", ["25:00", "13pm", "soon", "", "12:99"])
def test_times_that_are_none(time: str) -> None:
    assert call(operation="convert", time=time, to_place="Tokyo").error


def test_difference() -> None:
    found = call(operation="difference", to_date="christmas").value
    assert (found["days"], found["weeks"], found["days_over"]) == (31, 4, 3)
    assert call(operation="difference", to_date="2026-11-20").value["days"] == -4


@pytest.mark.parametrize(
    ("arguments", "iso"),
    [
        ({"amount": 90}, "2027-02-22"),
        ({"amount": -3, "unit": "weeks"}, "2026-11-03"),
        ({"amount": 1, "unit": "months", "date": "2027-01-31"}, "2027-02-28"),
        ({"amount": -1, "unit": "years", "date": "2028-02-29"}, "2027-02-28"),
        ({"amount": 14, "unit": "hours"}, "2026-11-25"),
    ],
)
def test_shift(arguments: dict[str, Any], iso: str) -> None:
    assert call(operation="shift", **arguments).value["iso"] == iso


def test_shift_too_far() -> None:
    for unit in ("minutes", "days", "months", "years"):
        result = call(operation="shift", amount=1_000_000, unit=unit, date="9999-12-31")
        assert result.error or unit == "minutes"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-12-24", date(2026, 12, 24)),
        ("24 December", date(2026, 12, 24)),
        ("the 24th of December 2027", date(2027, 12, 24)),
        ("Dec 24, 2026", date(2026, 12, 24)),
        ("1 May", date(2027, 5, 1)),
        ("29 Feb", date(2028, 2, 29)),
        ("24.12.2026", date(2026, 12, 24)),
        ("13/4/2026", date(2026, 4, 13)),
        ("4/13/2026", date(2026, 4, 13)),
        ("tomorrow", date(2026, 11, 25)),
        ("friday", date(2026, 11, 27)),
        ("tuesday", date(2026, 12, 1)),
        ("last tuesday", date(2026, 11, 17)),
        ("New Year's Eve", date(2026, 12, 31)),
        ("easter next year", date(2027, 3, 28)),
        ("thanksgiving", date(2026, 11, 26)),
    ],
)
def test_dates(text: str, found: date) -> None:
    assert parse_date(text, TODAY) == found


@pytest.mark.parametrize("text", ["31 February", "3/4/2026", "0000-01-01", "someday", "", "12 Foo"])
def test_dates_that_are_none(text: str) -> None:
    with pytest.raises(ToolError):
        parse_date(text, TODAY)


def test_easter() -> None:
    assert [easter(year) for year in (1954, 1999, 2024, 2038)] == [
        date(1954, 4, 18),
        date(1999, 4, 4),
        date(2024, 3, 31),
        date(2038, 4, 25),
    ]
