"""Episodes of alert rules, and everything that happened to them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from performance.models.alert_rules import AlertRule, Severity


class State(models.TextChoices):
    PENDING = "pending", "Pending"
    FIRING = "firing", "Firing"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"


class Cause(models.TextChoices):
    """Why the alert is there."""

    VALUE = "value", "beyond the threshold"
    NO_DATA = "no_data", "no data"
    ERROR = "error", "the rule cannot be evaluated"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Questions about many alerts."""

    def unresolved(self) -> AlertQuerySet:
        return self.exclude(state=State.RESOLVED)

    def active(self) -> AlertQuerySet:
        """Firing, acknowledged or not."""
        return self.filter(state__in=(State.FIRING, State.ACKNOWLEDGED))

    def fired(self) -> AlertQuerySet:
        """All that ever fired; what only threatened to is left out."""
        return self.filter(fired_at__isnull=False)


class Alert(models.Model):
    """One episode of a rule for one set of labels; the timers are columns, so a restart loses none."""

    rule = models.ForeignKey(AlertRule, on_delete=models.PROTECT, related_name="alerts")
    labels = models.JSONField(default=dict, blank=True)
    key = models.CharField(max_length=32, help_text="Digest of the labels.")
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    severity = models.CharField(max_length=8, choices=Severity)
    cause = models.CharField(max_length=8, choices=Cause, default=Cause.VALUE)
    value = models.FloatField(null=True, blank=True)
    peak = models.FloatField(null=True, blank=True, help_text="The worst value of this episode.")
    problem = models.CharField(max_length=200, blank=True)
    examples = models.JSONField(
        default=list, blank=True, help_text="Ids of requests, replies and tasks behind the value."
    )
    flaps = models.PositiveIntegerField(default=0, help_text="How often it came back.")
    began_at = models.DateTimeField(help_text="Beyond the threshold since.")
    fired_at = models.DateTimeField(null=True, blank=True)
    recovering_at = models.DateTimeField(null=True, blank=True, help_text="Fine since.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(help_text="The newest evaluation that had a value.")
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    suppressed = models.CharField(
        max_length=200, blank=True, help_text="Why nobody is told: a silence or another alert."
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text="First told of this firing.")
    retold_at = models.DateTimeField(null=True, blank=True, help_text="Last told of it.")
    escalated_at = models.DateTimeField(null=True, blank=True)

    objects: Any = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at", "-id"]
        default_permissions = ("view",)
        permissions = [("acknowledge_alert", "Can acknowledge, assign, silence and comment alerts")]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "key"],
                condition=~models.Q(state="resolved"),
                name="alert_one_unresolved",
            )
        ]
        indexes = [
            models.Index(fields=["-began_at", "-id"], name="alert_newest"),
            models.Index(
                fields=["state"], name="alert_open", condition=~models.Q(state="resolved")
            ),
            models.Index(fields=["resolved_at"], name="alert_resolved"),
        ]

    def __str__(self) -> str:
        about = ", ".join(f"{name}={value}" for name, value in sorted(self.labels.items()))
        return f"{self.rule}: {about}" if about else str(self.rule)


class AlertEvent(models.Model):
    """A step in the life of an alert. Rows are only added: the database refuses anything else."""

    class Kind(models.TextChoices):
        PENDING = "pending", "Pending"
        LAPSED = "lapsed", "Did not last"
        FIRED = "fired", "Fired"
        REOPENED = "reopened", "Fired again"
        RESOLVED = "resolved", "Resolved"
        EXPIRED = "expired", "Resolved: no data for long"
        DISABLED = "disabled", "Resolved: the rule was switched off"
        RAISED = "raised", "Severity changed"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        UNACKNOWLEDGED = "unacknowledged", "Acknowledgement taken back"
        ASSIGNED = "assigned", "Assigned"
        SILENCED = "silenced", "Silenced"
        COMMENTED = "commented", "Comment"
        SUPPRESSED = "suppressed", "Held back"
        TOLD = "told", "Told"
        ESCALATED = "escalated", "Escalated"

    alert = models.ForeignKey(
        Alert, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    value = models.FloatField(null=True, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Stays when the account goes.
    actor_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["at", "id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["alert", "at", "id"], name="alertevent_alert")]

    def __str__(self) -> str:
        return self.get_kind_display()
