"""What staff do with alerts. Each changes only what is still as the person saw it, and is written down.

All take several alerts, lock them in one order, and answer how many they changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from performance.models import Alert, AlertEvent, Silence
from performance.models.alerts import State

Kind = AlertEvent.Kind
Person = Any
"""A row of settings.AUTH_USER_MODEL."""
LONGEST_SILENCE = timedelta(days=30)


def acknowledge(alerts: Iterable[int], *, by: Person, note: str = "") -> int:
    """Firing alerts become acknowledged: no reminder, no escalation. Others are left alone."""
    values = {"state": State.ACKNOWLEDGED, "acknowledged_by": by, "acknowledged_at": timezone.now()}
    return _change(alerts, {"state": State.FIRING}, values, (Kind.ACKNOWLEDGED, by, note))


def unacknowledge(alerts: Iterable[int], *, by: Person, note: str = "") -> int:
    """Acknowledged alerts fire again, and their time to escalate begins anew."""
    values = {
        "state": State.FIRING,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "told_at": timezone.now(),
        "escalated_at": None,
    }
    return _change(alerts, {"state": State.ACKNOWLEDGED}, values, (Kind.UNACKNOWLEDGED, by, note))


def assign(alerts: Iterable[int], *, to: Person | None, by: Person, note: str = "") -> int:
    """Open alerts become somebody's, or nobody's."""
    name = to.get_username() if to else "nobody"
    said = f"to {name}. {note}".strip()
    return _change(alerts, None, {"assignee": to}, (Kind.ASSIGNED, by, said))


def comment(alerts: Iterable[int], *, by: Person, note: str) -> int:
    """Adds a remark; resolved alerts take one too. Raises ValueError without a text."""
    if not note.strip():
        raise ValueError("note is empty: a comment wants a text.")
    with transaction.atomic():
        found = list(Alert.objects.filter(pk__in=list(alerts)).order_by("pk"))
        _write_down(found, Kind.COMMENTED, by, note)
    return len(found)


def silence(alerts: Iterable[int], *, seconds: float, by: Person, note: str = "") -> int:
    """A silence for each alert's rule and labels from now on. Raises ValueError on a bad length."""
    length = timedelta(seconds=seconds)
    if not timedelta(0) < length <= LONGEST_SILENCE:
        raise ValueError(
            f"seconds is {seconds:g}: a silence lasts more than 0 and at most 30 days."
        )
    now = timezone.now()
    with transaction.atomic():
        found = list(_locked(alerts).exclude(state=State.RESOLVED))
        Silence.objects.bulk_create(
            Silence(
                reason=(note or f"by {by.get_username()}")[:200],
                rule_id=alert.rule_id,
                labels=alert.labels,
                starts_at=now,
                ends_at=now + length,
                created_by=by,
            )
            for alert in found
        )
        until = f"until {now + length:%Y-%m-%d %H:%M} UTC. {note}".strip()
        _write_down(found, Kind.SILENCED, by, until)
    return len(found)


def _change(
    alerts: Iterable[int],
    only: dict[str, Any] | None,
    values: dict[str, Any],
    event: tuple[Kind, Person, str],
) -> int:
    kind, by, note = event
    with transaction.atomic():
        rows = _locked(alerts)
        # Asked again under the lock: whoever was first has changed the state by now.
        rows = rows.filter(**only) if only else rows.exclude(state=State.RESOLVED)
        found = list(rows)
        Alert.objects.filter(pk__in=[alert.pk for alert in found]).update(**values)
        _write_down(found, kind, by, note)
    return len(found)


def _locked(alerts: Iterable[int]) -> Any:
    return Alert.objects.select_for_update(of=("self",)).filter(pk__in=list(alerts)).order_by("pk")


def _write_down(alerts: Iterable[Alert], kind: Kind, by: Person, note: str) -> None:
    now = timezone.now()
    AlertEvent.objects.bulk_create(
        AlertEvent(
            alert=alert,
            kind=kind,
            at=now,
            value=alert.value,
            note=note[:2000],
            actor=by,
            actor_name=by.get_username(),
        )
        for alert in alerts
    )
