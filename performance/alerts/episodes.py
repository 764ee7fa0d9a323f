"""Rows to episodes and back: what the pure machine decides is written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from performance import conf
from performance.alerts import examples, expressions
from performance.alerts.evaluate import Episode, Kind, Terms, is_over, step
from performance.alerts.expressions import Labels, Measured
from performance.alerts.measuring import Measurements, key_of
from performance.models import Alert, AlertEvent, AlertRule
from performance.models.alert_rules import Comparison, NoData, Severity
from performance.models.alerts import Cause, State

ERROR_KEY = "error"
"""Of the alert that a rule raises about itself; no digest is that short."""
BEGINS = {Kind.FIRED, Kind.REOPENED}
MACHINE = [
    *("state", "began_at", "seen_at", "fired_at", "recovering_at", "resolved_at"),
    *("value", "peak", "cause", "flaps"),
]
# A rule's own failure: a value of 1 that is beyond 0.
BROKEN = Terms(
    comparison=Comparison.ABOVE,
    threshold=0,
    resolve_threshold=0,
    keep_firing=timedelta(minutes=1),
)


@dataclass(slots=True)
class Stepped:
    """An alert after its step; `alert` has no primary key yet where it is new."""

    alert: Alert
    kinds: tuple[Kind, ...]
    changed: bool
    at: datetime


def reopen_within() -> timedelta:
    return timedelta(seconds=conf.current().alerts.reopen_within)


def terms_of(rule: AlertRule) -> Terms:
    """The rule as the machine wants it. Raises ValueError on a word that there is not."""
    settings = conf.current().alerts
    Severity(rule.severity)
    return Terms(
        comparison=Comparison(rule.comparison),
        threshold=rule.threshold,
        resolve_threshold=rule.resolves_at,
        hold=timedelta(seconds=rule.hold),
        keep_firing=timedelta(seconds=rule.keep_firing),
        no_data=NoData(rule.no_data),
        reopen_within=timedelta(seconds=settings.reopen_within),
        stale_after=timedelta(seconds=settings.stale_after),
    )


def advance(
    rules: Sequence[AlertRule], known: Iterable[Alert], found: Measurements, now: datetime
) -> list[Stepped]:
    """Every alert that there is or should be, one step on."""
    by_rule: dict[int, dict[str, Alert]] = {}
    for alert in known:  # the newest of a key is the last
        by_rule.setdefault(alert.rule_id, {})[alert.key] = alert
    steps = []
    for rule in rules:
        steps += _advance(rule, by_rule.pop(rule.pk, {}), found, now)
    for alerts in by_rule.values():
        steps += [_switched_off(a, now) for a in alerts.values() if a.state != State.RESOLVED]
    return steps


def _advance(
    rule: AlertRule, alerts: dict[str, Alert], found: Measurements, now: datetime
) -> list[Stepped]:
    problem = found.problems.get(rule.pk, "")
    try:
        terms = terms_of(rule)
    except ValueError as error:
        problem, terms = f"ValueError: {error}"[:200], BROKEN
    broken = _broken(rule, alerts.pop(ERROR_KEY, None), problem, now)
    # Of a rule that cannot be evaluated, or whose metrics are away, nothing is known.
    if problem or rule.pk not in found.values:
        terms = replace(terms, no_data=NoData.KEEP)
        measured: list[Measured] = []
    else:
        measured = found.values[rule.pk]
    steps = [_step(rule, alerts.pop(key_of(m.labels), None), m, now, terms) for m in measured]
    if not measured and rule.group_by and not problem and rule.pk in found.values:
        steps.append(_step(rule, alerts.pop(key_of(()), None), Measured((), None), now, terms))
    # Labels that nothing was measured for: a count is 0 then, of all else nothing is known.
    absent = expressions.absent(rule) if rule.pk in found.values and not problem else None
    steps += [_step(rule, a, Measured(_labels(a), absent), now, terms) for a in alerts.values()]
    return [one for one in [*steps, broken] if one is not None]


def _labels(alert: Alert) -> Labels:
    return tuple(sorted(alert.labels.items()))


def _broken(rule: AlertRule, alert: Alert | None, problem: str, now: datetime) -> Stepped | None:
    if alert is None and not problem:
        return None
    measured = Measured((), 1.0 if problem else 0.0)
    stepped = _step(rule, alert, measured, now, BROKEN)
    if stepped:
        stepped.alert.key, stepped.alert.cause = ERROR_KEY, Cause.ERROR
        stepped.alert.problem = problem or stepped.alert.problem
    return stepped


def _step(
    rule: AlertRule, alert: Alert | None, measured: Measured, now: datetime, terms: Terms
) -> Stepped | None:
    before = None if alert is None else _episode(alert)
    if before is not None and is_over(before, now, terms):
        alert = before = None
    after, kinds = step(before, measured.value, now, terms)
    if after is None:
        return None
    if alert is None:
        alert = Alert(rule=rule, labels=dict(measured.labels), key=key_of(measured.labels))
        alert.severity = severity_of(rule)
    changed = before != after
    for name in MACHINE:
        setattr(alert, name, getattr(after, name))
    alert.rule = rule
    stepped = Stepped(alert, kinds, changed, now)
    _start_afresh(stepped)
    return _weigh(stepped, rule)


def _start_afresh(stepped: Stepped) -> None:
    """A firing that begins has not been told of, nor acknowledged."""
    if BEGINS & set(stepped.kinds):
        alert = stepped.alert
        alert.told_at = alert.retold_at = alert.escalated_at = None
        alert.acknowledged_at = alert.acknowledged_by = None
        alert.suppressed = ""
        alert.examples = []


def _weigh(stepped: Stepped, rule: AlertRule) -> Stepped:
    """A rule that became more severe is told anew: what was acknowledged was something milder."""
    alert, severity = stepped.alert, severity_of(rule)
    if alert.severity != severity and alert.state != State.RESOLVED:
        worse = severity.rank > Severity(alert.severity).rank
        alert.severity, stepped.changed = severity, True
        stepped.kinds += (Kind.RAISED,)
        if worse and alert.state in (State.FIRING, State.ACKNOWLEDGED):
            alert.state = State.FIRING
            alert.told_at = alert.escalated_at = alert.acknowledged_at = None
            alert.acknowledged_by = None
    return stepped


def severity_of(rule: AlertRule) -> Severity:
    """The rule's severity; a warning where it is none that there is: somebody must still be told."""
    return Severity(rule.severity) if rule.severity in Severity else Severity.WARNING


def _switched_off(alert: Alert, now: datetime) -> Stepped:
    alert.state, alert.resolved_at, alert.recovering_at = State.RESOLVED, now, None
    return Stepped(alert, (Kind.DISABLED,), changed=True, at=now)


def _episode(alert: Alert) -> Episode:
    values: Mapping[str, object] = {name: getattr(alert, name) for name in MACHINE}
    return Episode(**values)  # type: ignore[arg-type]


WRITTEN = [
    *MACHINE,
    *("severity", "problem", "examples", "told_at", "retold_at", "escalated_at"),
    *("acknowledged_at", "acknowledged_by", "suppressed"),
]


def write(steps: Iterable[Stepped]) -> list[AlertEvent]:
    """Writes the alerts that changed, and what happened to them."""
    changed = [one for one in steps if one.changed]
    for one in changed:
        if BEGINS & set(one.kinds) and one.alert.key != ERROR_KEY:
            one.alert.examples = examples.of(one.alert, one.at)
    old = [one.alert for one in changed if one.alert.pk is not None]
    Alert.objects.bulk_create(one.alert for one in changed if one.alert.pk is None)
    Alert.objects.bulk_update(old, WRITTEN)
    return AlertEvent.objects.bulk_create(
        AlertEvent(alert=one.alert, kind=kind, at=one.at, value=one.alert.value)
        for one in changed
        for kind in one.kinds
    )
