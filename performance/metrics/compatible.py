"""Our totals under the names that django-prometheus gives them, for the boards made for it.

Two differ in meaning: `status` is a class (2xx), and a cache's `backend` is its alias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from performance.metrics.totals import Running, bounds

Vendor = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Name:
    """`labels` are theirs: ours, in the order of their name."""

    theirs: str
    help: str
    ours: tuple[str, ...]
    labels: dict[str, str]
    is_histogram: bool = False


_DATABASE = {"alias": "alias", "vendor": "vendor"}

_NAMES = (
    _Name(
        "django_http_requests_latency_seconds_by_view_method",
        "Histogram of request processing time labelled by view.",
        ("request_seconds",),
        {"view": "view", "method": "method"},
        is_histogram=True,
    ),
    _Name(
        "django_http_requests_total_by_method",
        "Count of requests by method.",
        ("request_seconds",),
        {"method": "method"},
    ),
    _Name(
        "django_http_responses_total_by_status",
        "Count of responses by class of status.",
        ("request_seconds",),
        {"status": "status"},
    ),
    _Name(
        "django_http_responses_total_by_status_view_method",
        "Count of responses by class of status, view, method.",
        ("request_seconds",),
        {"status": "status", "view": "view", "method": "method"},
    ),
    _Name(
        "django_db_query_duration_seconds",
        "Histogram of query duration by database and vendor.",
        ("query_seconds",),
        _DATABASE,
        is_histogram=True,
    ),
    _Name(
        "django_db_execute_total",
        "Counter of executed statements by database and by vendor.",
        ("query_seconds",),
        _DATABASE,
    ),
    _Name(
        "django_db_errors_total",
        "Counter of execution errors by database, vendor and exception type.",
        ("query_errors",),
        _DATABASE | {"type": "error"},
    ),
    _Name(
        "django_cache_get_total",
        "Total get requests on cache.",
        ("cache_hits", "cache_misses"),
        {"backend": "alias"},
    ),
    _Name(
        "django_cache_get_hits_total", "Total hits on cache.", ("cache_hits",), {"backend": "alias"}
    ),
    _Name(
        "django_cache_get_misses_total",
        "Total misses on cache.",
        ("cache_misses",),
        {"backend": "alias"},
    ),
    _Name(
        "django_cache_get_fail_total",
        "Total get request failures by cache.",
        ("cache_errors",),
        {"backend": "alias"},
    ),
)


def compatible(running: Iterable[Running], vendor: Vendor) -> Iterator[Metric]:
    """Their families; one that nothing was recorded for is left out."""
    by_name: dict[str, list[Running]] = {}
    for total in running:
        by_name.setdefault(total.series.name, []).append(total)
    for name in _NAMES:
        found = [total for ours in name.ours for total in by_name.get(ours, [])]
        if found:
            yield _family(name, found, vendor)


def _family(name: _Name, found: list[Running], vendor: Vendor) -> Metric:
    kind: Any = HistogramMetricFamily if name.is_histogram else CounterMetricFamily
    family = kind(name.theirs, name.help, labels=list(name.labels))
    for values, totals in sorted(_grouped(name, found, vendor).items()):
        count = sum(total.count for total in totals)
        if name.is_histogram:
            family.add_metric(list(values), _buckets(totals, count), sum(t.sum for t in totals))
        else:
            family.add_metric(list(values), count)
    return family  # type: ignore[no-any-return]


def _grouped(
    name: _Name, found: list[Running], vendor: Vendor
) -> dict[tuple[str, ...], list[Running]]:
    groups: dict[tuple[str, ...], list[Running]] = {}
    for total in found:
        labels = dict(total.series.labels)
        labels["vendor"] = vendor(labels.get("alias", ""))
        key = tuple(labels.get(ours, "") for ours in name.labels.values())
        groups.setdefault(key, []).append(total)
    return groups


def _buckets(totals: list[Running], count: float) -> list[tuple[str, float]]:
    named = [f"{float(bound)}" for bound in bounds(totals[0].series.name)]
    below = [
        sum(column) for column in zip(*(t.below or [0.0] * len(named) for t in totals), strict=True)
    ]
    return [*zip(named, below, strict=True), ("+Inf", count)]
