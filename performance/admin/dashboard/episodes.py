"""The alerts of a span: those that are open, and the times to shade in the charts."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils import timezone

from performance.admin.dashboard.spans import Span
from performance.models import Alert
from performance.models.alerts import State

MOST = 200
SHOWN = 8


class Episodes:
    """Alerts that were there in `span`, and all that are there now; one query, when first asked."""

    def __init__(self, span: Span) -> None:
        self.span = span

    @cached_property
    def overlapping(self) -> list[Alert]:
        """The newest first."""
        in_span = Q(fired_at__lt=self.span.until, resolved_at__gt=self.span.since)
        return list(
            Alert.objects.filter(in_span | ~Q(state=State.RESOLVED))
            .select_related("rule", "acknowledged_by")
            .order_by("-began_at", "-id")[:MOST]
        )

    @property
    def open(self) -> list[Alert]:
        """Unresolved ones, pending ones as well."""
        return [alert for alert in self.overlapping if alert.state != State.RESOLVED]

    @property
    def firing(self) -> list[Alert]:
        """The worst first, among equals what nobody has taken, then the oldest."""
        found = [alert for alert in self.open if alert.state != State.PENDING]
        return sorted(found, key=_urgency)

    def spans(self) -> list[dict[str, Any]]:
        """For the charts: from, to (seconds since 1970), severity and name."""
        now = timezone.now()
        return [
            {
                "from": alert.began_at.timestamp(),
                "to": (alert.resolved_at or now).timestamp(),
                "severity": alert.severity,
                "label": str(alert),
            }
            for alert in self.overlapping
            if alert.fired_at
        ]


def _urgency(alert: Alert) -> tuple[bool, int, Any]:
    ranks = ["critical", "warning", "info"]
    return (alert.state == State.ACKNOWLEDGED, ranks.index(alert.severity), alert.began_at)
