"""The alerts of a span: those that are open, and the times to shade in the charts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.db.models import Q
from django.utils import timezone

from performance.admin.dashboard.spans import Span
from performance.models import Alert
from performance.models.alerts import State

MOST = 200
SHOWN = 8
SEVERITIES = ("critical", "warning", "info")


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
        return sorted(found, key=urgency)

    def spans(self) -> list[dict[str, Any]]:
        """For the charts: from, to (seconds since 1970) and severity, in order, none over another."""
        now = timezone.now()
        return [
            {"from": since, "to": until, "severity": SEVERITIES[rank]}
            for since, until, rank in disjoint(
                (
                    alert.began_at.timestamp(),
                    (alert.resolved_at or now).timestamp(),
                    SEVERITIES.index(alert.severity),
                )
                for alert in self.overlapping
                if alert.fired_at
            )
        ]


def disjoint(spans: Iterable[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """The same times without overlaps: of spans (from, to, rank) the lowest rank is seen."""
    known = list(spans)
    edges = sorted({edge for since, until, _ in known for edge in (since, until)})
    found: list[tuple[float, float, int]] = []
    for since, until in pairwise(edges):
        ranks = [rank for start, end, rank in known if start <= since and until <= end]
        if not ranks:
            continue
        if found and found[-1][1:] == (since, min(ranks)):
            found[-1] = (found[-1][0], until, min(ranks))
        else:
            found.append((since, until, min(ranks)))
    return found


def urgency(alert: Alert) -> tuple[bool, int, Any]:
    """Sorts what nobody has taken first, then the worst, then the oldest."""
    return (
        alert.state == State.ACKNOWLEDGED,
        SEVERITIES.index(alert.severity),
        alert.began_at,
    )
