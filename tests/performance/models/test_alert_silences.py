"""When a silence holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from performance.models import Silence

BERLIN = ZoneInfo("Europe/Berlin")


def silence(repeats: str) -> Silence:
    """From two to three at night, since a Thursday in winter."""
    # As the database gives it back: of two moments in one zone Python compares the clocks alone.
    starts = datetime(2026, 3, 5, 2, 0, tzinfo=BERLIN).astimezone(UTC)
    return Silence(starts_at=starts, ends_at=starts + timedelta(hours=1), repeats=repeats)


@pytest.mark.parametrize(
    ("repeats", "moment", "holds"),
    [
        ("", (3, 5, 2, 30), True),
        ("", (3, 5, 3, 0), False),
        ("", (3, 6, 2, 30), False),
        ("daily", (3, 4, 2, 30), False),
        ("daily", (3, 6, 2, 0), True),
        ("daily", (3, 6, 3, 0), False),
        ("daily", (4, 1, 2, 30), True),
        ("daily", (4, 1, 3, 30), False),
        ("daily", (11, 1, 2, 30), True),
        ("weekly", (7, 2, 2, 30), True),
        ("weekly", (7, 3, 2, 30), False),
    ],
)
def test_a_silence_goes_by_the_clock_on_the_wall(
    repeats: str, moment: tuple[int, int, int, int], holds: bool, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"

    now = datetime(2026, *moment, tzinfo=BERLIN).astimezone(UTC)

    assert silence(repeats).holds_at(now) is holds
