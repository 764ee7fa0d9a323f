"""The charts: which lines each has, from what was measured now and the day before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from performance.admin.dashboard import measured
from performance.admin.dashboard.measured import Measured, Values
from performance.admin.dashboard.spans import DAY, floor
from performance.figures import Unit
from performance.queues.levels import Level

Tone = Literal["", "bad", "warn", "good", "before"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart; a value a step, None is a gap."""

    label: str
    values: Values
    tone: Tone = ""


Build = Callable[[Measured, Measured | None], list[Line]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart; `fills` says what will fill it while it is empty, `top` is where its axis must end."""

    name: str
    title: str
    unit: Unit
    fills: str
    lines: Build = field(repr=False)
    top: float | None = None

    def data(self, now: Measured, before: Measured | None) -> dict[str, Any]:
        """For the browser: seconds since 1970, and the lines' values with four digits."""
        return {
            "x": [int(start.timestamp()) for start in now.starts],
            "step": int(now.span.step.total_seconds()),
            "lines": [
                {"label": line.label, "tone": line.tone, "values": [_short(v) for v in line.values]}
                for line in self.lines(now, before)
            ],
        }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


Of = Callable[[Measured], Values]


def _before(now: Measured, before: Measured | None, of: Of, label: str) -> list[Line]:
    """The day before, under the times of today."""
    if before is None:
        return []
    known = dict(zip(before.starts, of(before), strict=True))
    values = [known.get(floor(start - DAY, before.span.step)) for start in now.starts]
    return [Line(label=label, values=values, tone="before")]


def _requests(now: Measured, before: Measured | None) -> list[Line]:
    return [
        Line(label="all", values=now.rates("requests")),
        *_before(now, before, lambda day: day.rates("requests"), "day before"),
    ]


def _failed(day: Measured) -> Values:
    return measured.shares(day.counts("requests", status="5xx"), day.counts("requests"))


def _errors(now: Measured, before: Measured | None) -> list[Line]:
    refused = measured.shares(now.counts("requests", status="4xx"), now.counts("requests"))
    return [
        Line(label="failed (5xx)", values=_failed(now), tone="bad"),
        Line(label="refused (4xx)", values=refused, tone="warn"),
        *_before(now, before, _failed, "failed, day before"),
    ]


def _quantiles(key: str) -> Build:
    def lines(now: Measured, before: Measured | None) -> list[Line]:
        return [
            *(
                Line(label=f"p{q}", values=now.values(key, measured.quantile(q / 100)))
                for q in (50, 95, 99)
            ),
            *_before(
                now, before, lambda day: day.values(key, measured.quantile(0.95)), "p95, day before"
            ),
        ]

    return lines


def _statements(now: Measured, before: Measured | None) -> list[Line]:
    return [
        Line(label="mean", values=now.values("statements", measured.mean)),
        Line(label="p95", values=now.values("statements", measured.quantile(0.95))),
        *_before(
            now, before, lambda day: day.values("statements", measured.mean), "mean, day before"
        ),
    ]


def _trouble(now: Measured, _before: Measured | None) -> list[Line]:
    return [
        Line(label="failed", values=now.counts("query_errors"), tone="bad"),
        Line(label="slow", values=now.counts("slow_queries"), tone="warn"),
        Line(label="N+1 requests", values=now.counts("n_plus_one")),
    ]


def _by_label(key: str, label: str, of: measured.Of) -> Build:
    def lines(now: Measured, _before: Measured | None) -> list[Line]:
        return [
            Line(label=value, values=now.levels(key, of, **{label: value}))
            for value in now.labels(key, label)
        ]

    return lines


def _by_level(key: str) -> Build:
    """The five levels in their own order, and always in the same style."""

    def lines(now: Measured, _before: Measured | None) -> list[Line]:
        return [
            Line(label=level.value, values=now.levels(key, measured.most, level=level.value))
            for level in Level
        ]

    return lines


def _hit_rate(now: Measured, _before: Measured | None) -> list[Line]:
    aliases = sorted({*now.labels("cache_hits", "alias"), *now.labels("cache_misses", "alias")})
    return [Line(label=alias, values=_hits_of(now, alias)) for alias in aliases]


def _hits_of(now: Measured, alias: str) -> Values:
    hits = now.counts("cache_hits", alias=alias)
    return measured.shares(hits, measured.added(hits, now.counts("cache_misses", alias=alias)))


def _level(key: str, label: str) -> Build:
    def lines(now: Measured, _before: Measured | None) -> list[Line]:
        return [Line(label=label, values=now.levels(key, measured.mean))]

    return lines


def _tasks(now: Measured, before: Measured | None) -> list[Line]:
    bad = measured.added(*(now.rates("tasks", status=status) for status in ("failed", "parked")))
    return [
        Line(label="all", values=now.rates("tasks")),
        Line(label="failed", values=bad, tone="bad"),
        *_before(now, before, lambda day: day.rates("tasks"), "day before"),
    ]


def _tokens(now: Measured, before: Measured | None) -> list[Line]:
    return [
        *(
            Line(label=kind or "all", values=now.rates("reply_tokens", kind=kind))
            for kind in now.labels("reply_tokens", "kind")
        ),
        *_before(now, before, lambda day: day.rates("reply_tokens"), "all, day before"),
    ]


def _replies(now: Measured, _before: Measured | None) -> list[Line]:
    return [
        Line(label="replies", values=now.counts("replies")),
        Line(label="failed", values=now.counts("replies", status="failed"), tone="bad"),
        Line(label="backend errors", values=now.counts("chat_backend_errors"), tone="warn"),
    ]


_REQUESTS = "The first request fills it."
_DATABASE = "The first request that asks the database fills it."
_QUEUES = "A worker fills it; start one with manage.py worker."
_CHAT = "The first reply fills it."

CHARTS = {
    chart.name: chart
    for chart in (
        Chart(name="requests", title="Requests", unit="rate", fills=_REQUESTS, lines=_requests),
        Chart(name="errors", title="Errors, share of requests", unit="ratio", fills=_REQUESTS, lines=_errors),
        Chart(name="latency", title="Request latency", unit="seconds", fills=_REQUESTS, lines=_quantiles("requests")),
        Chart(name="database", title="Database time per request", unit="seconds", fills=_DATABASE, lines=_quantiles("database")),
        Chart(name="statements", title="Queries per request", unit="count", fills=_DATABASE, lines=_statements),
        Chart(name="trouble", title="Failed, slow and N+1 queries", unit="count", fills=_DATABASE, lines=_trouble),
        Chart(name="pool", title="Connection pool", unit="count", fills="The pool reports itself once a web process or a worker runs.", lines=_by_label("pool", "state", measured.most)),
        Chart(name="hit_rate", title="Cache hit rate", unit="ratio", top=1.0, fills="The first read from a cache fills it.", lines=_hit_rate),
        Chart(name="waiting", title="Jobs waiting", unit="count", fills=_QUEUES, lines=_by_level("queue_length")),
        Chart(name="oldest", title="Oldest job's wait", unit="seconds", fills=_QUEUES, lines=_by_level("queue_oldest")),
        Chart(name="tasks", title="Tasks run", unit="rate", fills=_QUEUES, lines=_tasks),
        Chart(name="workers", title="Workers", unit="count", fills=_QUEUES, lines=_level("workers", "alive")),
        Chart(name="first_token", title="Time to the first token", unit="seconds", fills=_CHAT, lines=_quantiles("first_token")),
        Chart(name="tokens", title="Tokens", unit="rate", fills=_CHAT, lines=_tokens),
        Chart(name="replies", title="Replies and failures", unit="count", fills=_CHAT, lines=_replies),
        Chart(name="streams", title="Open streams", unit="count", fills="A browser that watches a reply fills it.", lines=_level("streams", "open")),
    )
}  # fmt: skip
