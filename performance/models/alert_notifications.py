"""Messages about alerts: rows first, sent by whichever worker claims them."""

from __future__ import annotations

from django.db import models

from performance.models.alerts import Alert


class Notification(models.Model):
    """One message to one channel about the news of one group of alerts.

    Written in the transaction that changed the alerts. While it waits, further news of its group
    joins it; a worker claims it by a conditional UPDATE, so that no two send it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        RETRYING = "retrying", "Failed, tried again"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    channel = models.CharField(max_length=80)
    group = models.CharField(max_length=40)
    key = models.CharField(max_length=32, unique=True, help_text="Digest of the first news in it.")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    severity = models.CharField(max_length=8)
    news = models.JSONField(default=list)
    alerts = models.ManyToManyField(Alert, related_name="notifications")
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "group"],
                condition=models.Q(state="waiting"),
                name="notification_one_waiting",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="notification_due",
                condition=models.Q(state__in=["waiting", "sending", "retrying"]),
            ),
            models.Index(fields=["channel", "group", "-created_at"], name="notification_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.group}"


class AlertEvaluation(models.Model):
    """The newest evaluation of all rules: one row, by which others see that it still goes on."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    seconds = models.FloatField(default=0)
    rules = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="alertevaluation_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.rules} rules at {self.at:%H:%M:%S}"
