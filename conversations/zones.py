"""Time zones that a user may choose, and where a day begins and ends in the one that is in force.

A day is not always 24 hours long and may begin at one o'clock, or twice: both ends are moments.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

from django.utils import timezone

_NO_PLACES = ("Etc/", "SystemV/", "posix/", "right/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")  # fmt: skip
LATEST = date.max - timedelta(days=1)  # whose next day a datetime can still hold


@cache
def names() -> frozenset[str]:
    """All that are known here, the old names among them, which browsers still tell."""
    return frozenset(available_timezones())


@cache
def by_region() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(region, names) to choose from: those that are called by a place."""
    placed = sorted(name for name in names() if "/" in name and not name.startswith(_NO_PLACES))
    grouped = groupby(placed, key=lambda name: name.partition("/")[0])
    return tuple((region, tuple(found)) for region, found in grouped)


def begin(day: date) -> datetime:
    """Its first moment in the time zone in force."""
    return timezone.make_aware(datetime.combine(day, time()))


def end(day: date) -> datetime:
    """The first moment after it."""
    return begin(min(day, LATEST) + timedelta(days=1))
