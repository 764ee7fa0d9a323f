"""What the board asks of the metrics, all of it in one reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from performance.admin.dashboard.measured import Measured
from performance.admin.dashboard.spans import DAY, HOUR, MINUTE, SLOT, Span, floor
from performance.metrics.reading import Selection, read_what_is_there


@dataclass(frozen=True, slots=True)
class Asked:
    """A metric, the labels that are kept, and whether step by step or for the whole span."""

    name: str
    group_by: tuple[str, ...] = ()
    stepped: bool = True


TILES = {
    "requests": Asked("request_seconds", ("status",), stepped=False),
    "database": Asked("request_database_seconds", stepped=False),
    "cache_hits": Asked("cache_hits", stepped=False),
    "cache_misses": Asked("cache_misses", stepped=False),
    "queue_length": Asked("queue_length", ("level",), stepped=False),
    "queue_oldest": Asked("queue_oldest_seconds", ("level",), stepped=False),
    "first_token": Asked("reply_first_token_seconds", stepped=False),
    "service_up": Asked("service_up", ("service",)),
}
COMPARED = {
    "requests": Asked("request_seconds", ("status",)),
    "database": Asked("request_database_seconds"),
    "statements": Asked("request_queries"),
    "tasks": Asked("task_seconds"),
    "first_token": Asked("reply_first_token_seconds"),
    "reply_tokens": Asked("reply_tokens"),
}
CHARTS = {
    "requests": Asked("request_seconds", ("view", "status")),
    "database": Asked("request_database_seconds", ("view",)),
    "statements": Asked("request_queries", ("view",)),
    "tasks": Asked("task_seconds", ("task", "level", "status")),
    "first_token": Asked("reply_first_token_seconds", ("backend",)),
    "reply_tokens": Asked("reply_tokens", ("backend", "kind")),
    "query_errors": Asked("query_errors"),
    "slow_queries": Asked("slow_queries"),
    "n_plus_one": Asked("n_plus_one", ("view",)),
    "pool": Asked("pool_connections", ("state",)),
    "cache_hits": Asked("cache_hits", ("alias",)),
    "cache_misses": Asked("cache_misses", ("alias",)),
    "queue_length": Asked("queue_length", ("level",)),
    "queue_oldest": Asked("queue_oldest_seconds", ("level",)),
    "workers": Asked("workers"),
    "replies": Asked("reply_seconds", ("backend", "status")),
    "chat_backend_errors": Asked("chat_backend_errors", ("backend",)),
    "streams": Asked("streams_open"),
    "service_up": Asked("service_up", ("service",)),
}
TABLES = {
    "cache_errors": Asked("cache_errors", ("alias",), stepped=False),
    "cache_stale": Asked("cache_stale_served", ("alias",), stepped=False),
    "cache_bytes": Asked("cache_bytes", ("alias", "which"), stepped=False),
    "task_wait": Asked("task_wait_seconds", ("task", "level"), stepped=False),
    "service_seconds": Asked("service_seconds", ("service",), stepped=False),
    "disk_free": Asked("disk_free_ratio", ("path",), stepped=False),
}
BOARD = {**CHARTS, **TABLES}
MOMENT = {
    **{key: replace(asked, stepped=False) for key, asked in BOARD.items()},
    "statement_seconds": Asked("query_seconds", ("kind",), stepped=False),
}


@dataclass(frozen=True, slots=True)
class Question:
    """`asked` of one span, perhaps of one view alone."""

    span: Span
    asked: Mapping[str, Asked]
    view: str = ""

    def selections(self) -> list[Selection]:
        return [self._selection(asked) for asked in self.asked.values()]

    def _selection(self, asked: Asked) -> Selection:
        return Selection(
            name=asked.name,
            since=self.span.since,
            until=self.span.until,
            labels={"view": self.view} if self.view and asked.name.startswith("request_") else {},
            group_by=asked.group_by,
            step=self.span.step if asked.stepped else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """`found` for the questions in order; `live`: Redis answered; `rows_until`: how far the rows go."""

    found: list[Measured]
    live: bool
    rows_until: datetime | None


def measure(questions: Sequence[Question]) -> Answers:
    """All answers, read together: two queries and one round trip, whatever is asked."""
    reading = read_what_is_there([one for question in questions for one in question.selections()])
    lines = iter(reading.lines)
    found = [
        Measured(question.span, {key: next(lines) for key in question.asked})
        for question in questions
    ]
    return Answers(found=found, live=reading.unavailable is None, rows_until=reading.rows_until)


def lately(span: Span) -> tuple[Span, Span]:
    """The last minute of `span`, in the shortest steps, and the same hour of the day before: for the tiles."""
    # From the beginning of a live slot on, so that none of it is missed.
    now = Span(since=floor(span.until - MINUTE, SLOT), until=span.until, step=SLOT)
    hour = floor(span.until - DAY, HOUR)
    return now, Span(since=hour, until=hour + HOUR, step=HOUR)
