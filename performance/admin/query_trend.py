"""The trend of a fingerprint as a picture: bars of seconds an hour, a line of the 95th percentile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from performance.queries.history import Cost

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720.0, 170.0, 56.0, 10.0, 142.0


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Trend:
    """Coordinates for performance/queries/trend.html."""

    bars: list[Bar]
    line: str
    most_seconds: float
    most_p95: float
    begins: datetime
    ends: datetime


def draw(hours: Sequence[tuple[datetime, Cost]]) -> Trend | None:
    """None where nothing ran."""
    if not any(cost.calls for _, cost in hours):
        return None
    most = max(cost.seconds for _, cost in hours) or 1.0
    most_p95 = max(cost.p95 or 0.0 for _, cost in hours) or 1.0
    step = (WIDTH - LEFT) / len(hours)
    bars, points = [], []
    for number, (begins, cost) in enumerate(hours):
        x = LEFT + number * step
        if not cost.calls:
            continue
        height = max(1.0, (BOTTOM - TOP) * cost.seconds / most)
        title = f"{begins:%Y-%m-%d %H:00}: {cost.calls} calls, {cost.seconds:.3f} s"
        bars.append(Bar(x, BOTTOM - height, max(1.0, step - 1), height, title))
        up = (BOTTOM - TOP) * (cost.p95 or 0.0) / most_p95
        points.append(f"{x + step / 2:.1f},{BOTTOM - up:.1f}")
    return Trend(bars, " ".join(points), most, most_p95, hours[0][0], hours[-1][0])
