"""Reads what all rules measure: fresh samples first, the rest in one go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.core.exceptions import ValidationError

from performance import conf, tracebacks
from performance.alerts.expressions import Labels, Measured, Part, plain, ratio
from performance.metrics import MetricsUnavailable
from performance.metrics.reading import Line, Selection, read_many
from performance.metrics.summary import Summary
from performance.models import AlertRule
from performance.models.alert_rules import Aggregation

logger = structlog.get_logger(__name__)

SLOT = timedelta(seconds=10)
MOST_LABEL_SETS = 200
"""Of one rule; the worst are kept. Alerts in thousands help nobody."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A level measured just now. Its metric is then judged by the samples alone: what they tell
    about a dead Redis must not wait for Redis."""

    metric: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Measurements:
    """`values` by rule; `problems` of rules that cannot be evaluated; both by primary key."""

    values: dict[int, list[Measured]] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    away: bool = False
    """The live metrics could not be read: nothing is known of the rules that have no values."""


def key_of(labels: Labels) -> str:
    """A digest of a set of labels, whatever is in them."""
    text = json.dumps(sorted(labels))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def measure(
    rules: Sequence[AlertRule], now: datetime, samples: Sequence[Sample] = ()
) -> Measurements:
    """The values of all rules at `now`. A rule that raises costs no other."""
    found = Measurements()
    sampled = {sample.metric for sample in samples}
    sound = [rule for rule in rules if _is_sound(found, rule)]
    fresh = [rule for rule in sound if {rule.metric, *rule.divisors} <= sampled]
    others = [rule for rule in sound if rule not in fresh]
    for rule in fresh:
        _judge(found, rule, [_sampled(one, samples) for one in selections(rule, now)])
    if not _measuring():
        found.away = True
        return found
    try:
        wanted = {rule.pk: selections(rule, now) for rule in others}
        # Half of the data would look like a rate that fell.
        lines = iter(read_many([one for each in wanted.values() for one in each], whole=True))
        for rule in others:
            _judge(found, rule, [_part(next(lines), one) for one in wanted[rule.pk]])
    except MetricsUnavailable:
        found.away = True
    except Exception:
        logger.exception("alert_measuring_failed", rules=len(others))
        _one_by_one(found, others, now)
    return found


def _is_sound(found: Measurements, rule: AlertRule) -> bool:
    try:
        check(rule)
    except ValueError as error:
        found.problems[rule.pk] = told(error)
    return rule.pk not in found.problems


def check(rule: AlertRule) -> None:
    """Raises ValueError on a rule that its form would refuse: not all that write rows ask the form."""
    try:
        rule.clean()
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None


def _measuring() -> bool:
    settings = conf.current().metrics
    return settings.enabled and bool(settings.location)


def _one_by_one(found: Measurements, rules: Iterable[AlertRule], now: datetime) -> None:
    """Finds the rule that spoilt it for all."""
    for rule in rules:
        try:
            wanted = selections(rule, now)
            parts = [
                _part(*pair) for pair in zip(read_many(wanted, whole=True), wanted, strict=True)
            ]
        except MetricsUnavailable:
            found.away = True
            return
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is this rule's alert
            found.problems[rule.pk] = told(error)
        else:
            _judge(found, rule, parts)


def _judge(found: Measurements, rule: AlertRule, parts: list[Part]) -> None:
    try:
        measured = values(rule, parts)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is this rule's alert
        found.problems[rule.pk] = told(error)
    else:
        found.values[rule.pk] = _worst(rule, measured)


def told(error: Exception) -> str:
    """What staff read of a rule that cannot be evaluated: a ValueError is about its own words."""
    words = f"ValueError: {error}" if type(error) is ValueError else tracebacks.line(error)
    return words[:200]


def values(rule: AlertRule, parts: Sequence[Part]) -> list[Measured]:
    """The rule's value for each set of labels; `parts` as `selections` asked for them.

    Raises ValueError where the rule names no aggregation that there is.
    """
    seconds, least, grouped = float(rule.window), rule.min_samples, bool(rule.group_by)
    if not rule.divisor:
        return plain(rule.aggregation, parts[0], seconds=seconds, least=least, grouped=grouped)
    return ratio(
        (rule.aggregation, rule.divisor_aggregation),
        parts[0],
        parts[1:],
        seconds=seconds,
        least=least,
        grouped=grouped,
    )


def selections(rule: AlertRule, now: datetime, since: datetime | None = None) -> list[Selection]:
    """What must be read for the rule: its metric, then those it is divided by."""
    metrics = [(rule.metric, rule.labels, rule.aggregation)]
    metrics += [(name, rule.divisor_labels, rule.divisor_aggregation) for name in rule.divisors]
    return [
        Selection(
            name=name,
            since=since or now - timedelta(seconds=rule.window),
            until=now,
            labels={k: tuple(v) if isinstance(v, list) else v for k, v in labels.items()},
            group_by=tuple(rule.group_by),
            step=SLOT if aggregation == Aggregation.LAST else None,
        )
        for name, labels, aggregation in metrics
    ]


def _part(lines: Iterable[Line], selection: Selection) -> Part:
    """The summary of each set of labels; of a newest value, of its newest point."""
    part: Part = {}
    for line in lines:
        summaries = [point.summary for point in line.points if point.summary.count]
        if summaries:
            whole = summaries[-1] if selection.step else sum_of(summaries)
            part[tuple(sorted(line.labels.items()))] = whole
    return part


def sum_of(summaries: Iterable[Summary]) -> Summary:
    whole = Summary()
    for summary in summaries:
        whole.merge(summary)
    return whole


def _sampled(selection: Selection, samples: Sequence[Sample]) -> Part:
    part: dict[Labels, Summary] = {}
    for sample in samples:
        if sample.metric == selection.name and selection.admits(sample.labels):
            kept = {name: sample.labels.get(name, "") for name in selection.group_by}
            part.setdefault(tuple(sorted(kept.items())), Summary()).level(sample.value)
    return dict(part)


def _worst(rule: AlertRule, measured: list[Measured]) -> list[Measured]:
    if len(measured) <= MOST_LABEL_SETS:
        return measured
    sign = 1 if rule.is_upper else -1
    known = [one for one in measured if one.value is not None]
    return sorted(known, key=lambda one: sign * (one.value or 0.0), reverse=True)[:MOST_LABEL_SETS]
