"""Unit tests of the Prometheus rules, for promtool: each rule fires on its fault and is quiet without."""

from __future__ import annotations

from typing import Any

from performance.management.prometheus_rules import (
    QUANTILES,
    STORE,
    Measure,
    divisors,
    measure,
    rule_file,
    rules,
)
from performance.metrics.definitions import BY_NAME, Kind
from performance.metrics.exporter import PREFIX
from performance.metrics.totals import bounds
from performance.models import AlertRule

STEPS = 90  # of a minute each
AT = "80m"
MANY = 100  # events a minute


def test_file() -> dict[str, Any]:
    """The contents of deploy/prometheus/rules_test.yml."""
    tests = []
    for _, rule, entry in rules():
        firing = {
            "exp_labels": {**entry["labels"], **dict.fromkeys(rule.group_by, "x")},
            "exp_annotations": entry["annotations"],
        }
        name = str(entry["alert"])
        tests.append(_test(f"{name} fires", name, _faulty(rule), [firing]))
        tests.append(_test(f"{name} is quiet", name, _sound(rule), []))
    store = next(one for one in rule_file()["groups"][0]["rules"] if one["alert"] == STORE)
    firing = {"exp_labels": store["labels"], "exp_annotations": store["annotations"]}
    tests += [
        _test(f"{STORE} fires", STORE, {f"{PREFIX}store_up": "0x90"}, [firing]),
        _test(f"{STORE} is quiet", STORE, {f"{PREFIX}store_up": "1x90"}, []),
    ]
    return {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}


def _test(
    name: str, alert: str, series: dict[str, str], expected: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": text, "values": values} for text, values in series.items()],
        "alert_rule_test": [{"eval_time": AT, "alertname": alert, "exp_alerts": expected}],
    }


def _faulty(rule: AlertRule) -> dict[str, str]:
    """Series on which the rule fires."""
    value, under = measure(rule), divisors(rule)
    is_above = rule.comparison.startswith("g")
    if value.kind is Kind.LEVEL:
        return {_series(value, ""): _level(rule.threshold * 2 + 1 if is_above else 0)}
    if value.aggregation in QUANTILES:
        return _buckets(value, above=rule.threshold)
    series = {_series(one, "count"): _growing(MANY) for one in under}
    return series | {_series(value, "count"): _growing(MANY if is_above else 0)}


def _sound(rule: AlertRule) -> dict[str, str]:
    """Series on which it does not."""
    value, under = measure(rule), divisors(rule)
    is_above = rule.comparison.startswith("g")
    if value.kind is Kind.LEVEL:
        return {_series(value, ""): _level(0 if is_above else rule.threshold)}
    if value.aggregation in QUANTILES:
        return _buckets(value, above=0)
    series = {_series(one, "count"): _growing(MANY) for one in under}
    return series | {_series(value, "count"): _growing(0 if is_above else MANY)}


def _level(number: float) -> str:
    return f"{number:g}x{STEPS}"


def _growing(step: int) -> str:
    return f"0+{step}x{STEPS}"


def _series(value: Measure, _what: str) -> str:
    name = PREFIX + value.metric if value.kind is Kind.LEVEL else value.counter
    return name + _labels(value)


def _labels(value: Measure, **more: str) -> str:
    labels = dict.fromkeys(BY_NAME[value.metric].labels, "x") | value.labels | more
    return "{" + ",".join(f'{name}="{text}"' for name, text in sorted(labels.items())) + "}"


def _buckets(value: Measure, *, above: float) -> dict[str, str]:
    """A histogram all of whose values are above a bound."""
    name = f"{PREFIX}{value.metric}_bucket"
    found = {
        name + _labels(value, le=f"{float(bound)}"): _growing(MANY if bound > above * 1.5 else 0)
        for bound in bounds(value.metric)
    }
    return {
        **found,
        name + _labels(value, le="+Inf"): _growing(MANY),
        value.counter + _labels(value): _growing(MANY),
    }
