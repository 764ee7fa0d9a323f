"""The shipped alert rules as Prometheus rules, for those who have a Prometheus beside our own alerts.

Prometheus has one threshold where ours have two, so an alert that hovers at it comes and goes there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from performance.alerts.defaults import DEFAULTS, Default
from performance.metrics.definitions import BY_NAME, Kind
from performance.metrics.exporter import PREFIX
from performance.models import AlertRule

OPERATORS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
RUNBOOKS = "docs/operations/runbooks/"
STORE = "MetricsStoreUnreachable"


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric, how it is summed up, over which labels and seconds."""

    metric: str
    aggregation: str
    labels: dict[str, Any]
    group_by: tuple[str, ...]
    window: int

    @property
    def kind(self) -> Kind:
        return BY_NAME[self.metric].kind

    @property
    def counter(self) -> str:
        """The series that counts it."""
        return f"{PREFIX}{self.metric}_{'total' if self.kind is Kind.COUNTER else 'count'}"

    def expression(self) -> str:
        if self.kind is Kind.LEVEL:
            return self._summed("avg", f"{PREFIX}{self.metric}{self._selector()}")
        if self.aggregation in QUANTILES:
            return self._quantile(QUANTILES[self.aggregation])
        function = "rate" if self.aggregation == "rate" else "increase"
        return self._summed("sum", f"{function}({self.counter}{self._selector()}[{self.window}s])")

    def _quantile(self, q: float) -> str:
        buckets = f"rate({PREFIX}{self.metric}_bucket{self._selector()}[{self.window}s])"
        by = ", ".join(("le", *self.group_by))
        return f"histogram_quantile({q}, sum by ({by}) ({buckets}))"

    def _selector(self) -> str:
        pairs = [f'{name}="{value}"' for name, value in sorted(self.labels.items())]
        return f"{{{','.join(pairs)}}}" if pairs else ""

    def _summed(self, how: str, vector: str) -> str:
        by = f" by ({', '.join(self.group_by)})" if self.group_by else ""
        return f"{how}{by} ({vector})"


def measure(rule: AlertRule) -> Measure:
    group_by = tuple(rule.group_by)
    return Measure(rule.metric, rule.aggregation, rule.labels, group_by, rule.window)


def divisors(rule: AlertRule) -> list[Measure]:
    """What the measure is divided by; none for most rules."""
    names = [name.strip() for name in rule.divisor.split("+") if name.strip()]
    rest = (rule.divisor_aggregation, rule.divisor_labels, tuple(rule.group_by), rule.window)
    return [Measure(name, *rest) for name in names]


def expression(rule: AlertRule) -> str:
    """The whole condition in PromQL."""
    value, under = measure(rule), divisors(rule)
    text = value.expression()
    summed = " + ".join(one.expression() for one in under)
    if under:
        text = f"{text} / ({summed})"
    text = f"{text} {OPERATORS[rule.comparison]} {rule.threshold:g}"
    if rule.min_samples > 1 and value.kind is not Kind.LEVEL:
        count = Measure(value.metric, "count", value.labels, value.group_by, value.window)
        text = f"({text}) and ({summed or count.expression()}) >= {rule.min_samples}"
    if rule.no_data == "alert":
        text = f"({text}) or absent({_any(value)})"
    return text


def _any(value: Measure) -> str:
    return PREFIX + value.metric if value.kind is Kind.LEVEL else value.counter


def alert_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def rules() -> Iterator[tuple[Default, AlertRule, dict[str, Any]]]:
    """Each shipped rule that has a metric of ours, and what Prometheus makes of it."""
    for default in DEFAULTS:
        rule = AlertRule(name=default.name, title=default.title, **default.values)
        yield default, rule, _entry(rule)


def _entry(rule: AlertRule) -> dict[str, Any]:
    return {
        "alert": alert_name(rule.name),
        "expr": expression(rule),
        "for": f"{rule.hold}s",
        "keep_firing_for": f"{rule.keep_firing}s",
        "labels": {"severity": str(rule.severity), "part": rule.group},
        "annotations": {"summary": rule.title, "runbook": f"{RUNBOOKS}{rule.name}.md"},
    }


def rule_file() -> dict[str, Any]:
    """The contents of deploy/prometheus/rules.yml."""
    entries = [entry for _, _, entry in rules()]
    return {"groups": [{"name": "performance", "rules": [*entries, _store()]}]}


def _store() -> dict[str, Any]:
    """What our own alerts tell as well, and cannot count: nothing is recorded while it is away."""
    return {
        "alert": STORE,
        "expr": f"{PREFIX}store_up == 0 or absent({PREFIX}store_up)",
        "for": "1m",
        "labels": {"severity": "critical", "part": "monitoring"},
        "annotations": {
            "summary": "The Redis of the metrics does not answer, or the site is not scraped",
            "runbook": f"{RUNBOOKS}queue-unreachable.md",
        },
    }
