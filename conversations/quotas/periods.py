"""Hours, days and months, all of UTC: when each began, when the next begins, and its name in Redis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from conversations.models import Period


def began(period: str, now: datetime) -> datetime:
    """The beginning of the period that `now` lies in."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    match period:
        case Period.HOUR:
            return hour
        case Period.DAY:
            return hour.replace(hour=0)
    return hour.replace(hour=0, day=1)


def ends(period: str, now: datetime) -> datetime:
    """When the next one begins: what was used of a quota is forgotten then."""
    begin = began(period, now)
    match period:
        case Period.HOUR:
            return begin + timedelta(hours=1)
        case Period.DAY:
            return begin + timedelta(days=1)
    return (begin + timedelta(days=32)).replace(day=1)


def names(now: datetime) -> tuple[str, str, str]:
    """Of the hour, the day and the month."""
    moment = now.astimezone(UTC)
    return f"{moment:%Y%m%d%H}", f"{moment:%Y%m%d}", f"{moment:%Y%m}"
