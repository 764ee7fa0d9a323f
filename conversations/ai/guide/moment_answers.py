"""Sentences about what `date_and_time` found."""

from __future__ import annotations

from typing import Any


def moment_answer(focus: str, value: dict[str, Any]) -> str:
    if "days" in value:
        return _difference(focus, value)
    if "from_time" in value:
        return _converted(value)
    if focus == "leap":
        year = value["iso"][:4]
        return (
            f"**Yes**, {year} is a leap year."
            if value["is_leap_year"]
            else f"**No**, {year} is no leap year."
        )
    if focus == "date":
        return f"It is **{value['date']}**, calendar week {value['week']}{_where(value)}."
    if "time" in value:
        return f"It is **{value['time']}** on {value['date']}{_where(value)}."
    return f"**{value['date']}** (calendar week {value['week']})"


def _where(value: dict[str, Any]) -> str:
    return f" ({value['zone']}, UTC{value['utc_offset']})"


def _difference(focus: str, value: dict[str, Any]) -> str:
    days = abs(value["days"])
    length = f"**{days:,} {_plural('day', days)}**"
    if focus == "week" or (days >= 14 and focus == "day"):
        weeks = f"{value['weeks']:,} {_plural('week', value['weeks'])}"
        rest = (
            f" and {value['days_over']} {_plural('day', value['days_over'])}"
            if value["days_over"]
            else ""
        )
        length = (
            f"**{weeks}{rest}** ({days:,} days)" if focus == "week" else f"{length} ({weeks}{rest})"
        )
    first, last = (
        (value["from"], value["to"]) if value["days"] >= 0 else (value["to"], value["from"])
    )
    return f"{length}, from {first} to {last}."


def _converted(value: dict[str, Any]) -> str:
    later = {0: "the same day", 1: "the next day", -1: "the day before"}[value["days_later"]]
    return f"At {value['from_time']} in {_title(value['from_place'])} it is **{value['time']}** in {_title(value['place'])}, {later}."


def _title(place: str) -> str:
    return place.title() if len(place) > 3 else place.upper()


def _plural(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"
