"""Which time the board shows, and in what steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from performance import conf

DAY = timedelta(days=1)
LONGEST = timedelta(days=30)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SLOT = timedelta(seconds=10)
LAG = timedelta(seconds=1)
"""Processes send what they measured once a second: the newest second is not all there yet."""
YOUNG = timedelta(seconds=3)
"""A step of which less is known says nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One choice of the board.

    `refresh` is how many seconds lie between two answers, of which every fifth has the tables as well
    (of 15 min every thirtieth: its short steps are dear, as they are read from the live slots).
    """

    name: str
    title: str
    length: timedelta
    step: timedelta
    refresh: int
    whole: int = 5


RANGES = {
    found.name: found
    for found in (
        Range(name="15m", title="15 min", length=timedelta(minutes=15), step=SLOT, refresh=2, whole=30),
        Range(name="1h", title="1 h", length=timedelta(hours=1), step=timedelta(minutes=1), refresh=2),
        Range(name="6h", title="6 h", length=timedelta(hours=6), step=timedelta(minutes=5), refresh=10),
        Range(name="24h", title="24 h", length=DAY, step=timedelta(minutes=15), refresh=30),
        Range(name="7d", title="7 d", length=7 * DAY, step=timedelta(hours=1), refresh=60),
        Range(name="30d", title="30 d", length=LONGEST, step=timedelta(hours=3), refresh=120),
    )
}  # fmt: skip
DEFAULT = RANGES["1h"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `since` to `until`, in steps whose starts are multiples of `step` since 1970."""

    since: datetime
    until: datetime
    step: timedelta
    live: bool = False

    def starts(self) -> list[datetime]:
        """Every step's start, oldest first."""
        count = -((self.since - self.known_until) // self.step)
        found = [self.since + self.step * number for number in range(count)]
        return found[:-1] if found and self.known_until - found[-1] < YOUNG else found

    @property
    def known_until(self) -> datetime:
        return self.until - LAG if self.live else self.until

    def seconds_of(self, start: datetime) -> float:
        """How much of the step that begins at `start` lies in the span: the newest is not over yet."""
        end = min(start + self.step, self.known_until)
        return max((end - start).total_seconds(), 1.0)

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()

    def tail(self, since: datetime) -> Span:
        """What of it begins with the step that holds `since`; at least the last two steps."""
        latest = floor(self.until, self.step) - self.step
        return replace(self, since=max(self.since, min(floor(since, self.step), latest)))

    def earlier(self) -> Span:
        """The same span the day before, in whole steps that are still kept."""
        since, until = self.since - DAY, self.until - DAY
        step = kept_step(max(self.step, MINUTE), since)
        return Span(since=floor(since, step), until=floor(until, step) + step, step=step)


def range_of(wanted: str | None) -> Range:
    """The range of that name, or the default."""
    return RANGES.get(wanted or "", DEFAULT)


def span_of(chosen: Range, until: datetime | None = None) -> Span:
    """The range's span that ends now, and is live, or in the step that holds `until`."""
    now = timezone.now()
    if until is None or until >= now:
        since = floor(now - chosen.length, chosen.step) + chosen.step
        return Span(since=since, until=now, step=chosen.step, live=until is None)
    since = until - chosen.length
    step = kept_step(chosen.step, since)
    end = min(floor(until, step) + step, now)
    return Span(since=floor(since, step), until=end, step=step)


def kept_step(step: timedelta, since: datetime) -> timedelta:
    """`step`, or an hour where the minutes from `since` on are pruned: hours are all that is left."""
    kept = timedelta(hours=conf.current().metrics.keep_minutes)
    return step if timezone.now() - since < kept else max(step, HOUR)


def floor(moment: datetime, step: timedelta) -> datetime:
    """`moment` cut down to a multiple of `step` since 1970."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (moment - epoch) // step * step


def moment_of(text: str | None) -> datetime | None:
    """An aware moment from a query string; None where there is none that makes sense."""
    try:
        found = parse_datetime((text or "").replace(" ", "+"))
    except ValueError:
        return None
    if found is None or not 1970 < found.year < 9000:
        return None
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def offsets(span: Span) -> list[tuple[float, float]]:
    """The seconds that the site's clocks are ahead of UTC, and from when on: two where summer begins."""
    found: list[tuple[float, float]] = []
    for moment in (span.since, *span.starts(), span.until):
        ahead = timezone.localtime(moment).utcoffset() or timedelta()
        if not found or found[-1][1] != ahead.total_seconds():
            found.append((moment.timestamp(), ahead.total_seconds()))
    return found


def length_of(query: Mapping[str, str]) -> timedelta:
    """`seconds` of a query string in whole minutes, between one minute and the longest range."""
    text = query.get("seconds", "")
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 60
    minutes = max(1, -(-seconds // 60))
    return min(timedelta(minutes=minutes), LONGEST)
