"""What Prometheus scrapes: the running totals of all processes and the newest levels, from Redis.

Every web process answers alike, and totals only grow, however often workers are replaced. Beside our
own names (`performance_...`) the commonest of django-prometheus's are kept, for boards made for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any

import redis
from django.db import connections
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, REGISTRY
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from performance.metrics import live, slots, store, totals
from performance.metrics.compatible import compatible
from performance.metrics.definitions import BY_NAME, Kind
from performance.metrics.exceptions import MetricsUnavailable
from performance.metrics.totals import Running, bounds

logger = logging.getLogger("performance.metrics")

PREFIX = "performance_"
LEVEL_SECONDS = 60
"""A level that nobody has sampled for so long is not exported."""


class SharedCollector(Collector):
    """Reads Redis at each scrape; without Redis only `performance_store_up 0` is left."""

    def describe(self) -> Iterable[Metric]:
        return []  # what there is is not known before it is read

    def collect(self) -> Iterator[Metric]:
        try:
            running = totals.running(store.read_totals())
            levels = _levels()
        except (redis.RedisError, OSError, MetricsUnavailable) as error:
            logger.warning("Metrics cannot be exported: %s.", type(error).__name__)
            yield _up(0)
            return
        yield _up(1)
        for name, found in _by_name(running):
            yield _family(name, found)
        yield from levels
        yield from compatible(running, _vendor)


def _up(value: int) -> Metric:
    return GaugeMetricFamily(
        f"{PREFIX}store_up", "1 where the Redis of the metrics answers.", value=value
    )


def _by_name(running: list[Running]) -> Iterator[tuple[str, list[Running]]]:
    names: dict[str, list[Running]] = {}
    for total in running:
        names.setdefault(total.series.name, []).append(total)
    yield from names.items()


def _help(name: str) -> str:
    return BY_NAME[name].help if name in BY_NAME else f"The site's own metric {name}."


def _labels(found: list[Running]) -> list[str]:
    return sorted({label for total in found for label, _ in total.series.labels})


def _family(name: str, found: list[Running]) -> Metric:
    labels = _labels(found)
    is_histogram = any(total.below is not None for total in found)
    kind: Any = HistogramMetricFamily if is_histogram else CounterMetricFamily
    family = kind(PREFIX + name, _help(name), labels=labels)
    for total in found:
        known = dict(total.series.labels)
        values = [known.get(label, "") for label in labels]
        if is_histogram:
            family.add_metric(values, buckets_of(total), total.sum)
        else:
            family.add_metric(values, total.count)
    return family  # type: ignore[no-any-return]


def buckets_of(total: Running) -> list[tuple[str, float]]:
    """Prometheus's buckets: how many were at most each bound."""
    below = total.below or [0.0] * len(bounds(total.series.name))
    named = [f"{float(bound)}" for bound in bounds(total.series.name)]
    return [*zip(named, below, strict=True), ("+Inf", total.count)]


def _levels() -> Iterable[Metric]:
    last = slots.slot_at(time.time())
    wanted = range(last - LEVEL_SECONDS // slots.SECONDS, last + 1)
    newest: dict[Any, float] = {}
    for _, content in live.read(wanted):  # oldest first, so the newest stays
        for series, (kind, summary) in content.items():
            if kind is Kind.LEVEL and summary.mean is not None:
                newest[series] = summary.mean
    families: dict[str, Any] = {}
    for series, value in sorted(newest.items(), key=lambda pair: (pair[0].name, pair[0].labels)):
        if series.name not in families:
            labels = sorted({lb for s in newest if s.name == series.name for lb, _ in s.labels})
            families[series.name] = GaugeMetricFamily(
                PREFIX + series.name, _help(series.name), labels=labels
            )
            families[series.name].label_names = labels
        known = dict(series.labels)
        family = families[series.name]
        family.add_metric([known.get(label, "") for label in family.label_names], value)
    return list(families.values())


def _vendor(alias: str) -> str:
    return connections[alias].vendor if alias in connections else "unknown"


def register() -> None:
    """Adds the collector to the registry that django-prometheus exports.

    The stock collectors of one process's memory and garbage go: which process answers a scrape is
    chance, so their figures would jump.
    """
    for stock in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR, _registered):
        try:
            REGISTRY.unregister(stock)
        except KeyError:
            continue
    REGISTRY.register(_registered)


_registered = SharedCollector()
