"""Requests: PerformanceMiddleware leaves one event for each, of which six series are fed here."""

from __future__ import annotations

from typing import Protocol

from performance.metrics import examples, gauge
from performance.metrics.recording import Recording
from performance.spending import Spending

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STATUSES = ("other", "1xx", "2xx", "3xx", "4xx", "5xx")
ABORTED = "aborted"

in_flight: set[object] = set()
"""One thing for each request being answered; adding and discarding are atomic."""
_last_seen = 0


class Seen(Protocol):
    """The statements of a request, as a scope of performance.queries counts them."""

    @property
    def count(self) -> int: ...

    @property
    def seconds(self) -> float: ...


def status_of(code: int) -> str:
    return STATUSES[code // 100] if 100 <= code < 600 else STATUSES[0]


def ended(
    recording: Recording,
    view: str,
    answer: tuple[str | None, str, int],
    seconds: float,
    spent: tuple[Seen | None, Spending],
    weight: int,
) -> None:
    """Feeds the series of one request; `answer` is its method, status and size.

    Sums are made here, in the flusher's thread, and not while somebody waits for the answer.
    """
    method, status, size = answer
    seen, spending = spent
    labels = {
        "view": view,
        "method": method if method in METHODS else "other",
        "status": status,
    }
    of_view = {"view": view}
    recording.observe("request_seconds", seconds, labels, weight)
    recording.observe("response_bytes", size, of_view, weight)
    recording.observe("request_cache_seconds", spending.cache, of_view, weight)
    recording.observe("request_render_seconds", spending.render, of_view, weight)
    if seen is not None:
        recording.observe("request_queries", seen.count, of_view, weight)
        recording.observe("request_database_seconds", seen.seconds, of_view, weight)


def leave_example(
    correlation_id: str, view: str, method: str | None, status: str, seconds: float
) -> None:
    """So that an alert about such requests can name this one."""
    known = method if method in METHODS else "other"
    examples.leave(
        "request_seconds", seconds, correlation_id, view=view, method=known, status=status
    )


def sample_in_flight() -> None:
    """Before each flush; an idle process says nothing."""
    global _last_seen
    now = len(in_flight)
    if now or _last_seen:
        gauge("requests_in_flight", now)
    _last_seen = now
