"""A site's day as rows of metrics: traffic with a morning and a night, and one bad quarter of an hour."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from performance.metrics import rows, slots
from performance.metrics.definitions import BY_NAME, Kind
from performance.metrics.series import Series, series
from performance.metrics.summary import Summary

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
VIEWS = {
    "conversations:detail": (3.2, 0.021, 3),
    "conversations:list": (2.1, 0.016, 2),
    "conversations:message": (0.9, 0.034, 7),
    "conversations:search": (0.35, 0.062, 3),
    "conversations:help": (0.3, 0.006, 0),
    "account_login": (0.15, 0.11, 4),
    "admin:conversations_conversation_changelist": (0.03, 0.14, 9),
}
"""Requests a second at noon, median seconds, statements."""
ALIASES = {"default": 0.93, "conversations": 0.81, "ai_responses": 0.27, "tool_results": 0.66}
LEVELS = {"critical": 0.02, "urgent": 0.1, "high": 0.9, "normal": 0.4, "low": 0.2}
TASKS = {
    ("conversations.tasks.write_reply", "high"): (0.9, 2.4),
    ("conversations.tasks.title", "normal"): (0.3, 0.4),
    ("conversations.tasks.sweep", "low"): (0.02, 0.05),
    ("performance.tasks.roll_up", "critical"): (0.017, 0.09),
}
SERVICES = ("cache", "database", "queue", "workers", "chat backend")


@dataclass(frozen=True)
class Moment:
    """`load` 0 to 1.3, `pain` 0 or more: how bad the incident is."""

    start: datetime
    seconds: float
    load: float
    pain: float


class Traffic:
    """The metrics of each minute, or hour; the same for the same seed."""

    def __init__(self, incident: tuple[datetime, datetime] | None = None, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.incident = incident

    def moment(self, start: datetime, length: timedelta) -> Moment:
        hour = start.hour + start.minute / 60
        load = 0.55 + 0.4 * math.sin((hour - 8) / 24 * 2 * math.pi) + self.random.gauss(0, 0.03)
        pain = 0.0
        if self.incident and self.incident[0] <= start < self.incident[1]:
            pain = 1.0
        return Moment(start, length.total_seconds(), max(load, 0.05), pain)

    def cells(self, at: Moment) -> Iterator[tuple[Series, Summary]]:
        yield from self._requests(at)
        yield from self._caches(at)
        yield from self._tasks(at)
        yield from self._chat(at)
        yield from self._levels(at)

    def _times(self, n: float, median: float, spread: float = 0.6, most: int = 12) -> Summary:
        """About `n` observations around a median, a dozen different ones."""
        summary = Summary()
        kinds = max(1, min(most, round(n)))
        for _ in range(kinds):
            summary.observe(
                self.random.lognormvariate(math.log(median), spread), max(1, round(n / kinds))
            )
        return summary

    def _requests(self, at: Moment) -> Iterator[tuple[Series, Summary]]:
        for view, (rate, median, statements) in VIEWS.items():
            n = rate * at.load * at.seconds
            slow = 1 + 11 * at.pain * (statements > 2)
            share = {"2xx": 0.97 - 0.2 * at.pain, "4xx": 0.028, "5xx": 0.002 + 0.2 * at.pain}
            for status, part in share.items():
                count = n * part * self.random.uniform(0.7, 1.3)
                if count >= 1 or self.random.random() < count:
                    yield (
                        series(
                            "request_seconds", {"view": view, "method": "GET", "status": status}
                        ),
                        self._times(count, median * slow),
                    )
            yield (
                series("request_database_seconds", {"view": view}),
                self._times(n, median * 0.4 * slow),
            )
            many = Summary()
            many.observe(float(statements), max(1, round(n)))
            yield series("request_queries", {"view": view}), many
        for kind, part in {"select": 0.86, "insert": 0.06, "update": 0.07, "other": 0.01}.items():
            n = 20 * at.load * at.seconds * part
            yield (
                series("query_seconds", {"alias": "default", "kind": kind}),
                self._times(n, 0.0016 * (1 + 9 * at.pain)),
            )
        yield from self._counter("slow_queries", {"alias": "default"}, at, 0.01 + 2 * at.pain)
        yield from self._counter("n_plus_one", {"view": "conversations:message"}, at, 0.02)
        yield from self._counter(
            "query_errors", {"alias": "default", "error": "OperationalError"}, at, 0.8 * at.pain
        )

    def _counter(
        self, name: str, labels: dict[str, str], at: Moment, rate: float
    ) -> Iterator[tuple[Series, Summary]]:
        expected = rate * at.load * at.seconds
        n = int(expected) + (self.random.random() < expected % 1)
        if n:
            summary = Summary()
            summary.add(n)
            yield series(name, labels), summary

    def _caches(self, at: Moment) -> Iterator[tuple[Series, Summary]]:
        for alias, hit_rate in ALIASES.items():
            rate = hit_rate * self.random.uniform(0.96, 1.03) * (1 - 0.4 * at.pain)
            yield from self._counter("cache_hits", {"alias": alias, "tier": "1"}, at, 9 * rate)
            yield from self._counter("cache_hits", {"alias": alias, "tier": "2"}, at, 2 * rate)
            yield from self._counter("cache_misses", {"alias": alias}, at, 11 * (1 - min(rate, 1)))
            yield from self._counter("cache_bytes", {"alias": alias, "which": "raw"}, at, 30_000)
            yield from self._counter("cache_bytes", {"alias": alias, "which": "stored"}, at, 9_800)

    def _tasks(self, at: Moment) -> Iterator[tuple[Series, Summary]]:
        for (task, level), (rate, median) in TASKS.items():
            n = rate * at.load * at.seconds
            for status, part in {
                "successful": 1 - 0.15 * at.pain,
                "failed": 0.001 + 0.15 * at.pain,
            }.items():
                if self.random.random() < n * part:
                    labels = {"task": task, "level": level, "status": status}
                    yield (
                        series("task_seconds", labels),
                        self._times(n * part, median * (1 + at.pain)),
                    )
            if n > self.random.random():
                yield (
                    series("task_wait_seconds", {"task": task, "level": level}),
                    self._times(n, 0.012 + 4 * at.pain),
                )

    def _chat(self, at: Moment) -> Iterator[tuple[Series, Summary]]:
        n = 0.9 * at.load * at.seconds
        yield (
            series("reply_first_token_seconds", {"backend": "default"}),
            self._times(n, 0.42 * (1 + 4 * at.pain)),
        )
        yield (
            series("reply_seconds", {"backend": "default", "status": "complete"}),
            self._times(n, 2.2),
        )
        if at.pain:
            yield (
                series("reply_seconds", {"backend": "default", "status": "failed"}),
                self._times(n / 5, 9),
            )
        yield from self._counter("reply_tokens", {"backend": "default", "kind": "in"}, at, 410)
        yield from self._counter("reply_tokens", {"backend": "default", "kind": "out"}, at, 150)
        yield from self._counter(
            "chat_backend_errors", {"backend": "default", "error": "timeout"}, at, 0.3 * at.pain
        )

    def _levels(self, at: Moment) -> Iterator[tuple[Series, Summary]]:
        def level(name: str, value: float, **labels: str) -> tuple[Series, Summary]:
            summary = Summary()
            summary.level(float(value))
            return series(name, labels), summary

        for name, part in LEVELS.items():
            waiting = int(part * at.load * self.random.uniform(0, 4) + part * 60 * at.pain)
            yield level("queue_length", waiting, level=name)
            yield level("queue_oldest_seconds", waiting * 0.2, level=name)
        used = min(18.0, 2 + 5 * at.load + 12 * at.pain)
        yield level("pool_connections", used, alias="default", state="used")
        yield level("pool_connections", 18 - used, alias="default", state="idle")
        yield level("workers", 3)
        yield level("streams_open", 14 * at.load)
        for service in SERVICES:
            up = not (at.pain and service == "chat backend")
            yield level("service_up", float(up), service=service)
            yield series("service_seconds", {"service": service}), self._times(6, 0.002)


def fill(
    until: datetime,
    incident: tuple[datetime, datetime] | None,
    *,
    minutes: timedelta,
    hours: timedelta,
) -> Traffic:
    """Writes rows of minutes and hours that end at `until`; answers what goes on from there."""
    traffic = Traffic(incident)
    for unit, resolution, length in ((MINUTE, rows.MINUTE, minutes), (HOUR, rows.HOUR, hours)):
        end = datetime.fromtimestamp(
            until.timestamp() // unit.total_seconds() * unit.total_seconds(), UTC
        )
        count = length // unit
        known: dict[Series, Kind] = {}
        buckets = []
        for number in range(count):
            at = traffic.moment(end - unit * (count - number), unit)
            for one, summary in traffic.cells(at):
                known[one] = BY_NAME[one.name].kind
                buckets.append(rows.Bucket(one.id, at.start, summary))
        rows.register(known.items())
        rows.write(resolution, buckets)
    return traffic


def live(traffic: Traffic, since: datetime, until: datetime) -> dict[int, bytes]:
    """The slots from `since` to `until`, by number, as one process would have sent them."""
    found = {}
    start = datetime.fromtimestamp(slots.slot_at(since.timestamp()) * slots.SECONDS, UTC)
    while start < until:
        at = traffic.moment(start, timedelta(seconds=slots.SECONDS))
        cells = dict(traffic.cells(at))
        found[slots.slot_at(start.timestamp())] = slots.pack(cells, lambda name: BY_NAME[name].kind)
        start += timedelta(seconds=slots.SECONDS)
    return found
