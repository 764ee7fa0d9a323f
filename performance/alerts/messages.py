"""What people read about a value."""

from __future__ import annotations

from typing import Any

from performance.models import Alert, AlertRule
from performance.models.alerts import Cause

SHARES = ("_ratio",)


def number(rule: AlertRule, value: float | None) -> str:
    """The value in its unit: 3.2 %, 250 ms, 1.5 s, 0.25."""
    if value is None:
        return "no data"
    if rule.divisor or rule.metric.endswith(SHARES):
        return f"{value * 100:.3g} %"
    if rule.metric.endswith("_seconds") and rule.aggregation not in ("count", "rate"):
        return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.4g} s"
    if rule.aggregation == "rate":
        return f"{value:.3g}/s"
    return f"{value:.6g}"


def condition(rule: AlertRule) -> str:
    """The rule in words: request_seconds p95 over 300 s above 2 s."""
    measured = f"{rule.metric}{_labels(rule.labels)} {rule.get_aggregation_display()}"
    if rule.divisor:
        measured += f" / {rule.divisor}{_labels(rule.divisor_labels)}"
    compared = rule.get_comparison_display()  # of a word that there is not: the word
    held = f" for {duration(rule.hold)}" if rule.hold else ""
    return (
        f"{measured} over {duration(rule.window)} {compared} {number(rule, rule.threshold)}{held}"
    )


def reading(alert: Alert, value: float | None) -> str:
    """A value of this alert as people say it; empty for a rule's own failure."""
    if alert.cause == Cause.ERROR:
        return ""
    if alert.rule.metric == "service_up" and value is not None:
        return "down" if value < 1 else "up"
    return number(alert.rule, value)


def summary(alert: Alert) -> str:
    """One line for a list or a message: what is wrong now."""
    if alert.cause == Cause.ERROR:
        return f"The rule cannot be evaluated: {alert.problem}"
    value = reading(alert, alert.value)
    if value in ("up", "down"):
        return value
    compared = alert.rule.get_comparison_display()
    threshold = number(alert.rule, alert.rule.threshold)
    return f"{value} (alarm {compared} {threshold})"


def one_line(text: str) -> str:
    """What cannot be printed is a blank: a label must not begin a header, a line or an escape."""
    return "".join(character if character.isprintable() else " " for character in text)


def duration(seconds: float) -> str:
    """90 s, 5 min, 2 h, 3 d: the largest unit that it is a whole number of."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _labels(labels: Any) -> str:
    if not labels:
        return ""
    if not isinstance(labels, dict):
        return f"{{{labels}}}"  # a rule that is not right is shown as it is
    pairs = (f"{k}={'|'.join(v) if isinstance(v, list) else v}" for k, v in sorted(labels.items()))
    return "{" + ", ".join(pairs) + "}"
