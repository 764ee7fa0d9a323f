"""One evaluation of all rules: read, step, write, tell. All of it in one transaction.

Whoever holds the advisory lock evaluates; another one leaves at once. What an evaluator that died had
not committed did not happen, and the next one finds it due again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from performance import conf, metrics
from performance.alerts import episodes, planning, suppression
from performance.alerts.evaluate import Kind
from performance.alerts.measuring import Sample, measure
from performance.models import Alert, AlertEvaluation, AlertEvent, AlertRule, Silence
from performance.models.alerts import Cause, State

logger = structlog.get_logger(__name__)

LOCK = 0x616C_6572_7473  # "alerts"
LOUD = {Kind.FIRED, Kind.REOPENED, Kind.RESOLVED, Kind.EXPIRED}


@dataclass(slots=True)
class Report:
    """What an evaluation did. `notifications`: messages that now wait to be sent."""

    at: datetime
    rules: int
    events: list[AlertEvent] = field(default_factory=list)
    notifications: int = 0
    away: bool = False


def evaluate(*, now: datetime | None = None, samples: Sequence[Sample] = ()) -> Report | None:
    """Evaluates every enabled rule once; None where alerts are off or another one evaluates now.

    `now` is the database's clock unless given. `samples` are levels measured just now.
    """
    if not conf.current().alerts.enabled:
        return None
    started = time.perf_counter()
    with transaction.atomic():
        clock = _locked_clock()
        if clock is None:
            return None
        report = _evaluate(now or clock, samples)
        took = time.perf_counter() - started
        _write_down(report, took)
    metrics.observe("evaluation_seconds", took)
    for event in report.events:
        _log(event)
    return report


def _locked_clock() -> datetime | None:
    """The database's time if nobody else evaluates; the lock goes with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() WHERE pg_try_advisory_xact_lock(%s)", [LOCK])
        row = cursor.fetchone()
    return row[0] if row else None


def _evaluate(now: datetime, samples: Sequence[Sample]) -> Report:
    rules = list(AlertRule.objects.filter(enabled=True))
    found = measure(rules, now, samples)
    known = _known_alerts(now)  # after the slow part: staff who act wait for these locks
    steps = episodes.advance(rules, known, found, now)
    events = episodes.write(steps)
    report = Report(at=now, rules=len(rules), events=events, away=found.away)
    alerts = [one.alert for one in steps if one.alert.pk]
    events += _suppress(alerts, rules, now)
    report.notifications = planning.plan(alerts, now)
    return report


def _known_alerts(now: datetime) -> list[Alert]:
    """Alerts that are open, or may open again; locked, so that staff and evaluation take turns."""
    soonest = now - episodes.reopen_within()
    return list(
        Alert.objects.select_for_update(of=("self",))
        .select_related("rule")
        .filter(~Q(state=State.RESOLVED) | Q(resolved_at__gte=soonest))
        .order_by("pk")
    )


def _suppress(
    alerts: Iterable[Alert], rules: Sequence[AlertRule], now: datetime
) -> list[AlertEvent]:
    """Marks the alerts that nobody is told of, and writes down when that begins."""
    active = [alert for alert in alerts if alert.state in (State.FIRING, State.ACKNOWLEDGED)]
    if not active:
        return []
    silences = list(Silence.objects.filter(Q(ends_at__gt=now) | ~Q(repeats="")))
    # That a rule cannot be evaluated says nothing of what it watches.
    firing = {alert.rule_id: alert.rule for alert in active if alert.cause != Cause.ERROR}
    inhibitors = suppression.inhibitors_of(rules)
    changed, events = [], []
    for alert in active:
        why = suppression.reason(alert, now, silences, firing, inhibitors)
        if why != alert.suppressed:
            alert.suppressed = why
            changed.append(alert)
            if why:
                events.append(AlertEvent(alert=alert, kind=Kind.SUPPRESSED, at=now, note=why))
    Alert.objects.bulk_update(changed, ["suppressed"])
    return AlertEvent.objects.bulk_create(events)


def _write_down(report: Report, seconds: float) -> None:
    problem = "live metrics are away" if report.away else ""
    row = AlertEvaluation(at=report.at, seconds=seconds, rules=report.rules, problem=problem)
    AlertEvaluation.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["at", "seconds", "rules", "problem"],
    )


def _log(event: AlertEvent) -> None:
    if event.kind in LOUD:
        rule = event.alert.rule
        logger.warning(
            "alert", rule=rule.name, kind=str(event.kind), severity=rule.severity, value=event.value
        )


def seconds_since() -> float | None:
    """How long ago the rules were evaluated; None: never. Above 30 s somebody should look.

    By the database's clock, which also wrote the moment; below 0 that clock was set back since.
    """
    age = ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    newest = AlertEvaluation.objects.values_list(age, flat=True).first()
    return None if newest is None else newest.total_seconds()
