"""A Grafana dashboard with a panel for every metric that this app knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from performance.management.prometheus_rules import QUANTILES, measure, rules
from performance.metrics.definitions import DEFINITIONS, Definition, Kind
from performance.metrics.exporter import PREFIX

WIDTH, HEIGHT = 8, 7  # three panels beside each other in Grafana's 24 columns
SOURCE = {"type": "prometheus", "uid": "${source}"}

# Where a metric's panel stands: the first row of which it has a beginning.
ROWS = (
    ("Requests", ("request", "response", "requests")),
    ("Database", ("query", "queries", "slow", "n_plus", "connection", "pool", "replication")),
    ("Caches", ("cache",)),
    ("Queues", ("task", "queue", "workers")),
    ("Chat", ("reply", "chat", "streams")),
    ("Services and monitoring", ("",)),
)


def board() -> dict[str, Any]:
    """The contents of deploy/grafana/dashboard.json."""
    return {
        "uid": "chatsite-performance",
        "title": "chatsite",
        "tags": ["performance"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "source",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                }
            ]
        },
        "panels": list(_panels()),
    }


def expressions() -> list[str]:
    """Every PromQL expression of the board."""
    panels = [panel for panel in board()["panels"] if panel["type"] != "row"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def _panels() -> Iterator[dict[str, Any]]:
    left = list(DEFINITIONS)
    top = number = 0
    for title, beginnings in ROWS:
        mine = [one for one in left if one.name.startswith(beginnings)]
        left = [one for one in left if one not in mine]
        number += 1
        yield _row(number, title, top)
        top += 1
        for index, definition in enumerate(mine):
            number += 1
            x, y = index % 3 * WIDTH, top + index // 3 * HEIGHT
            yield _panel(number, definition, {"x": x, "y": y, "w": WIDTH, "h": HEIGHT})
        top += -(-len(mine) // 3) * HEIGHT


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    place = {"x": 0, "y": top, "w": 24, "h": 1}
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": place,
        "panels": [],
    }


def _panel(number: int, definition: Definition, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": definition.name.replace("_", " "),
        "description": definition.help,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _look(definition), "overrides": []},
        "targets": list(_targets(definition)),
    }


def _targets(definition: Definition) -> Iterator[dict[str, Any]]:
    for index, (expression, legend) in enumerate(_queries(definition)):
        yield {
            "refId": chr(ord("A") + index),
            "datasource": SOURCE,
            "expr": expression,
            "legendFormat": legend,
        }


def _queries(definition: Definition) -> Iterator[tuple[str, str]]:
    name = PREFIX + definition.name
    by = ", ".join(definition.labels)
    legend = " ".join(f"{{{{{label}}}}}" for label in definition.labels)
    if definition.kind is Kind.LEVEL:
        yield name, legend or definition.name
    elif definition.kind is Kind.COUNTER:
        yield f"sum by ({by}) (rate({name}_total[$__rate_interval]))", legend or "a second"
    else:
        for q in ("p50", "p95", "p99"):
            buckets = f"rate({name}_bucket[$__rate_interval])"
            yield f"histogram_quantile({QUANTILES[q]}, sum by (le) ({buckets}))", q


def _look(definition: Definition) -> dict[str, Any]:
    unit = {"seconds": "s", "bytes": "bytes", "ratio": "percentunit"}.get(definition.unit, "short")
    if definition.kind is Kind.COUNTER and definition.unit:
        unit = "Bps" if definition.unit == "bytes" else unit
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    steps += [{"color": "red", "value": bound} for bound in _thresholds(definition)]
    return {
        "unit": unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": {"thresholdsStyle": {"mode": "line" if len(steps) > 1 else "off"}},
    }


def _thresholds(definition: Definition) -> list[float]:
    """Of the shipped rules that watch just what the panel shows."""
    return sorted(
        rule.threshold
        for _, rule, _ in rules()
        if rule.metric == definition.name
        and not rule.divisor
        and (definition.kind is Kind.LEVEL or measure(rule).aggregation in QUANTILES)
    )
