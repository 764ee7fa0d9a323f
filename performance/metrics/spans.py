"""Which part of a span of time is read from hours, from minutes, and from live slots."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from performance.metrics.slots import SECONDS

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What there is: the ends of the newest rows, how far back minutes go, and from when to when slots."""

    minutes_until: datetime | None
    hours_until: datetime | None
    minutes_from: datetime
    slots_from: datetime
    slots_until: datetime


@dataclass(slots=True)
class Spans:
    """Each a list of [from, until), which together cover the span once."""

    hours: list[Span] = field(default_factory=list)
    minutes: list[Span] = field(default_factory=list)
    slots: list[Span] = field(default_factory=list)

    def slot_numbers(self) -> set[int]:
        return {
            number
            for since, until in self.slots
            for number in range(_slot_from(since), _slot_from(until))
        }


def _slot_from(moment: datetime) -> int:
    return math.ceil(moment.timestamp() / SECONDS)


def spans_of(since: datetime, until: datetime, step: timedelta | None, kept: Kept) -> Spans:
    """Hours where they are as good as minutes or the minutes are gone, slots where rows are too coarse."""
    spans = Spans()
    # Hours outlive the minutes: a site that rested for a day has hours alone.
    rows_until = min(until, max(kept.minutes_until or since, kept.hours_until or since))
    if step is not None and step < MINUTE:
        rows_until = min(rows_until, max(since, kept.slots_from))
    rows_until = max(since, _down(rows_until, MINUTE))
    # Redis has no others; without rows, or in times to come, a month would be asked for slot by slot.
    _add(spans.slots, max(rows_until, kept.slots_from), min(until, kept.slots_until))
    rows_from = min(_up(since, MINUTE), rows_until)
    if since >= kept.slots_from:
        _add(spans.slots, since, rows_from)
    hours = _hours(rows_from, rows_until, step, kept)
    if hours is None:
        _add(spans.minutes, rows_from, rows_until)
    else:
        spans.hours.append(hours)
        _add(spans.minutes, rows_from, hours[0])
        _add(spans.minutes, hours[1], rows_until)
    return spans


def _hours(since: datetime, until: datetime, step: timedelta | None, kept: Kept) -> Span | None:
    if kept.hours_until is None:
        return None
    last = min(_down(until, HOUR), kept.hours_until)
    if step is not None and step < HOUR:
        last = min(last, _up(kept.minutes_from, HOUR))
    first = _up(since, HOUR)
    return (first, last) if first < last else None


def _add(spans: list[Span], since: datetime, until: datetime) -> None:
    if since < until:
        spans.append((since, until))


def _down(moment: datetime, unit: timedelta) -> datetime:
    seconds = unit.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


def _up(moment: datetime, unit: timedelta) -> datetime:
    lower = _down(moment, unit)
    return lower if lower == moment else lower + unit
