"""The tool `date_and_time`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from django.utils import timezone
from msgspec import Meta

from conversations.tools.base import ToolContext, ToolError, tool
from conversations.tools.dates import parse_date
from conversations.tools.places import find_zone

CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.)?", re.IGNORECASE)

Operation = Annotated[
    Literal["now", "convert", "difference", "shift", "weekday"],
    Meta(
        description="now: the time and date in `place`. convert: `time` in `place` to `to_place`."
        " difference: days from `date` to `to_date`. shift: `amount` of `unit` from `date`."
        " weekday: of `date`."
    ),
]
Place = Annotated[str, Meta(description="A city, country or IANA time zone.", max_length=80)]
Written = Annotated[
    str,
    Meta(
        description="2026-12-24, 24 December, christmas, next friday; today if empty.",
        max_length=80,
    ),
]
Facts = dict[str, str | int | bool]
Unit = Literal["minutes", "hours", "days", "weeks", "months", "years"]


class Question(msgspec.Struct, frozen=True):
    place: str
    to_place: str
    time: str
    start: str
    end: str
    amount: int
    unit: str
    now: datetime

    @property
    def day(self) -> date:
        return parse_date(self.start or "today", self.now.date())


@tool
def date_and_time(  # noqa: PLR0913 - what a model may fill in
    operation: Operation,
    context: ToolContext,
    place: Place = "",
    to_place: Place = "",
    time: Annotated[str, Meta(description="15:30 or 3:30 pm.", max_length=20)] = "",
    date: Written = "",
    to_date: Written = "",
    amount: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0,
    unit: Unit = "days",
) -> Facts:
    """Tells the time and date anywhere, converts times between places, and calculates with dates."""
    now = timezone.now().astimezone(find_zone(place or context.time_zone))
    return OPERATIONS[operation](Question(place, to_place, time, date, to_date, amount, unit, now))


def _now(asked: Question) -> Facts:
    return _moment(asked.now) | {"place": asked.place or str(asked.now.tzinfo)}


def _convert(asked: Question) -> Facts:
    hour, minute = _clock(asked.time)
    there = asked.now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    day = asked.day
    there = there.replace(year=day.year, month=day.month, day=day.day)
    result = there.astimezone(find_zone(asked.to_place))
    days_later = (result.date() - there.date()).days
    return _moment(result) | {
        "place": asked.to_place,
        "from_place": asked.place or str(asked.now.tzinfo),
        "from_time": f"{there:%H:%M}",
        "days_later": days_later,
    }


def _difference(asked: Question) -> Facts:
    start, end = asked.day, parse_date(asked.end or "today", asked.now.date())
    days = (end - start).days
    weeks, rest = divmod(abs(days), 7)
    return {
        "from": long_date(start),
        "to": long_date(end),
        "days": days,
        "weeks": weeks,
        "days_over": rest,
    }


def _shift(asked: Question) -> Facts:
    try:
        return _shifted(asked)
    except (OverflowError, ValueError):
        raise ToolError("That date is too far away.") from None


def _shifted(asked: Question) -> Facts:
    if asked.unit in {"minutes", "hours"}:
        return _moment(asked.now + timedelta(**{asked.unit: asked.amount})) | {
            "place": asked.place or str(asked.now.tzinfo)
        }
    day = asked.day
    if asked.unit in {"days", "weeks"}:
        return _of_day(day + timedelta(**{asked.unit: asked.amount}))
    months = day.month - 1 + asked.amount * (12 if asked.unit == "years" else 1)
    year, month = day.year + months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return _of_day(date(year, month, min(day.day, last)))


def _weekday(asked: Question) -> Facts:
    return _of_day(asked.day)


def _of_day(day: date) -> Facts:
    return {
        "date": long_date(day),
        "iso": day.isoformat(),
        "weekday": f"{day:%A}",
        "week": day.isocalendar().week,
        "day_of_year": day.timetuple().tm_yday,
        "is_leap_year": calendar.isleap(day.year),
    }


def _moment(moment: datetime) -> Facts:
    offset = f"{moment:%z}"
    return _of_day(moment.date()) | {
        "time": f"{moment:%H:%M}",
        "utc_offset": f"{offset[:3]}:{offset[3:5]}",
        "zone": str(moment.tzinfo),
    }


def long_date(day: date) -> str:
    """As in "Thursday, 24 December 2026"."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _clock(text: str) -> tuple[int, int]:
    words = {"noon": "12:00", "midday": "12:00", "midnight": "0:00"}
    match = CLOCK.fullmatch(words.get(text.strip().lower(), text.strip()))
    if match is None:
        raise ToolError(f"I do not understand the time {text.strip()[:20]!r}.")
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()[:1]
    if half:
        hour = hour % 12 + 12 * (half == "p") if 1 <= hour <= 12 else 99
    if hour > 23 or minute > 59:
        raise ToolError(f"There is no time {text.strip()[:20]!r}.")
    return hour, minute


OPERATIONS: dict[str, Callable[[Question], Facts]] = {
    "now": _now,
    "convert": _convert,
    "difference": _difference,
    "shift": _shift,
    "weekday": _weekday,
}
