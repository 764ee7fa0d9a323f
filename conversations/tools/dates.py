"""Dates as people write them: "24 December", "next friday", "christmas 2027", "tomorrow"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from conversations.tools.base import ToolError

MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
MONTHS["sept"] = 9
WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
WEEKDAYS |= {name.lower(): number for number, name in enumerate(calendar.day_abbr)}
RELATIVE = {"today": 0, "now": 0, "tomorrow": 1, "yesterday": -1, "day after tomorrow": 2}

ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
NUMERIC = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})")
DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]+)\.?,?(?: (\d{4}))?")
MONTH_FIRST = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?")
NAMED = re.compile(r"(?P<name>.+?)(?: (?:in |of )?(?P<year>\d{4}|(?:next|this|last) year))?")


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous computus)."""
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * (year % 19) + century - leap_centuries - correction + 15) % 30
    weekday = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (year % 19 + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _thanksgiving(year: int) -> date:
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


HOLIDAYS: dict[str, Callable[[int], date]] = {
    "christmas eve": _fixed(12, 24),
    "christmas": _fixed(12, 25),
    "xmas": _fixed(12, 25),
    "boxing day": _fixed(12, 26),
    "new years eve": _fixed(12, 31),
    "new year": _fixed(1, 1),
    "new years": _fixed(1, 1),
    "new years day": _fixed(1, 1),
    "valentines": _fixed(2, 14),
    "valentines day": _fixed(2, 14),
    "st patricks day": _fixed(3, 17),
    "april fools day": _fixed(4, 1),
    "labour day": _fixed(5, 1),
    "independence day": _fixed(7, 4),
    "bastille day": _fixed(7, 14),
    "halloween": _fixed(10, 31),
    "thanksgiving": _thanksgiving,
    "good friday": lambda year: easter(year) - timedelta(days=2),
    "easter": easter,
    "easter sunday": easter,
    "easter monday": lambda year: easter(year) + timedelta(days=1),
    "ascension day": lambda year: easter(year) + timedelta(days=39),
    "pentecost": lambda year: easter(year) + timedelta(days=49),
    "end of the year": _fixed(12, 31),
    "summer solstice": _fixed(6, 21),
}


def parse_date(text: str, today: date) -> date:
    """Without a year the next such date is meant. Raises ToolError where it is not understood."""
    words = " ".join(
        text.lower().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "").split()
    )
    words = words.removeprefix("on ").removeprefix("the ").strip(" ?.!,")
    try:
        found = (
            _relative(words, today)
            or _numeric(words)
            or _written(words, today)
            or _named(words, today)
        )
    except (ValueError, OverflowError):
        raise ToolError(f"There is no date {text.strip()[:50]!r}.") from None
    if found is None:
        raise ToolError(f"I do not understand the date {text.strip()[:50]!r}.")
    return found


def _relative(words: str, today: date) -> date | None:
    if words in RELATIVE:
        return today + timedelta(days=RELATIVE[words])
    which, _, weekday = words.rpartition(" ")
    if weekday not in WEEKDAYS or which not in {"", "next", "this", "last"}:
        return None
    ahead = (WEEKDAYS[weekday] - today.weekday()) % 7
    if which == "last":
        return today + timedelta(days=ahead - 7)
    return today + timedelta(days=ahead or 7)


def _numeric(words: str) -> date | None:
    if match := ISO.fullmatch(words):
        return date(*(int(part) for part in match.groups()))
    match = NUMERIC.fullmatch(words)
    if match is None:
        return None
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] == "." or first > 12 or first == second:
        return date(year, second, first)
    if second > 12:
        return date(year, first, second)
    raise ToolError(f"{words} may mean two dates; write the month as a word.")


def _written(words: str, today: date) -> date | None:
    if match := DAY_FIRST.fullmatch(words):
        day, month, year = match[1], match[2], match[3]
    elif match := MONTH_FIRST.fullmatch(words):
        month, day, year = match[1], match[2], match[3]
    else:
        return None
    if month not in MONTHS:
        return None
    return _dated(lambda number: date(number, MONTHS[month], int(day)), year, today)


def _named(words: str, today: date) -> date | None:
    match = NAMED.fullmatch(words)
    if match is None or match["name"] not in HOLIDAYS:
        return None
    return _dated(HOLIDAYS[match["name"]], match["year"], today)


def _dated(build: Callable[[int], date], year: str | None, today: date) -> date:
    if year and year.isdigit():
        return build(int(year))
    if year:
        return build(today.year + {"next": 1, "this": 0, "last": -1}[year.split()[0]])
    for number in range(today.year, today.year + 9):  # 29 February may be eight years away
        try:
            found = build(number)
        except ValueError:
            continue
        if found >= today:
            return found
    raise ValueError(year)
