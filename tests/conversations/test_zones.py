from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from conversations import zones


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 28), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # begins at one o'clock
        ("Africa/Cairo", date(2026, 10, 29), 25),  # its last hour comes twice
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(zone: str, day: date, hours: float) -> None:
    with timezone.override(zone):
        begin, end = zones.begin(day).astimezone(UTC), zones.end(day).astimezone(UTC)
        assert end - begin == timedelta(hours=hours)
        assert zones.begin(day + timedelta(days=1)).astimezone(UTC) == end


def test_the_hour_that_comes_twice_is_all_of_its_day() -> None:
    again = datetime(2026, 10, 29, 23, 30, fold=1, tzinfo=ZoneInfo("Africa/Cairo"))
    with timezone.override("Africa/Cairo"):
        assert zones.begin(date(2026, 10, 29)) <= again.astimezone(UTC) < zones.end(again.date())


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar(zone: str, day: date) -> None:
    with timezone.override(zone):
        assert zones.begin(day) <= zones.end(day)


def test_zones_are_offered_by_region() -> None:
    regions = dict(zones.by_region())
    assert "Europe/Berlin" in regions["Europe"]
    assert "Etc" not in regions
    assert {name for names in regions.values() for name in names} <= zones.names()
