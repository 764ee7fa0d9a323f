"""Times in which nobody is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from performance.models.alert_rules import AlertRule


def _on_the_wall(moment: datetime) -> datetime:
    return timezone.make_naive(moment, timezone.get_default_timezone())


PERIODS = {"daily": timedelta(days=1), "weekly": timedelta(weeks=1)}


class Silence(models.Model):
    """A silence now or a maintenance window to come: it matches by rule, group and labels.

    It holds back messages, never the evaluation; alerts still show.
    """

    class Repeats(models.TextChoices):
        NEVER = "", "once"
        DAILY = "daily", "every day"
        WEEKLY = "weekly", "every week"

    reason = models.CharField(max_length=200)
    rule = models.ForeignKey(
        AlertRule, on_delete=models.CASCADE, null=True, blank=True, help_text="None: every rule."
    )
    group = models.SlugField(max_length=40, blank=True, help_text="Empty: every group.")
    labels = models.JSONField(
        default=dict, blank=True, help_text='Only alerts with these labels: {"view": "home"}.'
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    repeats = models.CharField(max_length=8, choices=Repeats, default=Repeats.NEVER, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="silence_ends_later"
            )
        ]

    def __str__(self) -> str:
        return self.reason

    def clean(self) -> None:
        """Raises ValidationError that names the field, its value and what would be right."""
        if self.starts_at and self.ends_at:
            if self.ends_at <= self.starts_at:
                raise ValidationError({"ends_at": "The end must be after the start."})
            if self.repeats and self.ends_at - self.starts_at > PERIODS[self.repeats]:
                raise ValidationError(
                    {"ends_at": f"It repeats {self.repeats} and must end before it begins again."}
                )
        labels = self.labels
        if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
            right = 'it must be an object such as {"view": "home"}.'
            raise ValidationError({"labels": f"{labels!r} is no set of labels: {right}"})

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is in force; a repeating one is in force in each of its periods.

        A repeating one goes by the clock on the wall (TIME_ZONE): at two at night, summer and winter.
        """
        if self.repeats == self.Repeats.NEVER:
            return self.starts_at <= moment < self.ends_at
        starts, ends = _on_the_wall(self.starts_at), _on_the_wall(self.ends_at)
        since = _on_the_wall(moment) - starts
        return moment >= self.starts_at and since % PERIODS[self.repeats] < ends - starts

    def covers(self, rule: AlertRule, labels: dict[str, Any]) -> bool:
        """Whether an alert of `rule` with these labels is meant."""
        return (
            self.rule_id in (None, rule.pk)
            and self.group in ("", rule.group)
            and all(labels.get(name) == value for name, value in self.labels.items())
        )
