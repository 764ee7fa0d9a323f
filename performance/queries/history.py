"""Reading the query log: what a fingerprint cost, hour by hour and in sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from performance.metrics import sketch
from performance.models import QueryStatistics

HOUR = timedelta(hours=1)
_sketches = msgspec.msgpack.Decoder(dict[int, int])


@dataclass(slots=True)
class Cost:
    """Calls, seconds in all and at most, rows, errors; quantiles within 2 %."""

    calls: int = 0
    seconds: float = 0.0
    max_seconds: float = 0.0
    rows: int = 0
    errors: int = 0
    sketch: dict[int, int] | None = None

    def add(self, hour: QueryStatistics) -> None:
        """Adds an hour."""
        self.calls += hour.calls
        self.seconds += hour.seconds
        self.max_seconds = max(self.max_seconds, hour.max_seconds)
        self.rows += hour.rows
        self.errors += hour.errors
        if hour.sketch:
            self.sketch = self.sketch or {}
            sketch.merge(self.sketch, _sketches.decode(hour.sketch))

    @property
    def mean(self) -> float:
        return self.seconds / self.calls if self.calls else 0.0

    def quantile(self, q: float) -> float | None:
        """Seconds that the share `q` of calls stayed below."""
        found = sketch.quantile(self.sketch or {}, q)
        return None if found is None else min(found, self.max_seconds)

    @property
    def p50(self) -> float | None:
        return self.quantile(0.5)

    @property
    def p95(self) -> float | None:
        return self.quantile(0.95)


def costs(fingerprints: Iterable[int], since: datetime) -> dict[int, Cost]:
    """What each fingerprint cost since then; one query."""
    found: dict[int, Cost] = defaultdict(Cost)
    for hour in QueryStatistics.objects.since(since).filter(fingerprint_id__in=list(fingerprints)):
        found[hour.fingerprint_id].add(hour)
    return dict(found)


def hours(fingerprint: int, since: datetime, until: datetime) -> list[tuple[datetime, Cost]]:
    """Its cost in each whole hour, without gaps; one query."""
    begin = since.replace(minute=0, second=0, microsecond=0)
    found: dict[datetime, Cost] = {}
    while begin <= until:
        found[begin] = Cost()
        begin += HOUR
    for row in QueryStatistics.objects.since(since).filter(fingerprint_id=fingerprint):
        if row.hour in found:
            found[row.hour].add(row)
    return list(found.items())
