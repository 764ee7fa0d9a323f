"""Old alerts go, with their events; nothing else may delete those."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from performance import conf
from performance.models import Alert, AlertEvent, Notification, Silence
from performance.models.alerts import State

AT_ONCE = 1000
THREATS_KEPT = timedelta(days=1)
"""Alerts that never fired go sooner."""


def prune() -> int:
    """Deletes what is older than KEEP_DAYS; answers how many alerts."""
    now = timezone.now()
    oldest = now - timedelta(days=conf.current().alerts.keep_days)
    resolved = Alert.objects.filter(state=State.RESOLVED)
    deleted = _delete(resolved.filter(resolved_at__lt=oldest))
    deleted += _delete(resolved.filter(fired_at=None, resolved_at__lt=now - THREATS_KEPT))
    # Of alerts that stay, lest one that flaps for ever grow without bound; what people did stays.
    steps = AlertEvent.objects.filter(actor=None, actor_name="")
    _delete(steps.filter(at__lt=oldest))
    _delete(steps.filter(at__lt=now - THREATS_KEPT, alert__fired_at=None))
    Notification.objects.filter(created_at__lt=oldest).delete()
    Silence.objects.filter(ends_at__lt=oldest, repeats="").delete()
    return deleted


def _delete(rows: QuerySet[Any]) -> int:
    """In small transactions, each of which alone may delete events."""
    count = 0
    while True:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL performance.pruning = 'on'")
            keys = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            rows.model.objects.filter(pk__in=keys).delete()
        count += len(keys)
        if len(keys) < AT_ONCE:
            return count
