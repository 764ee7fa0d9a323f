"""What is watched, and when somebody should be told."""

from __future__ import annotations

import math
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

NAME = re.compile(r"[a-z][a-z0-9_]*")
"""Of metrics and labels alike."""
LONGEST_WINDOW = 24 * 3600


class Severity(models.TextChoices):
    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"

    @property
    def rank(self) -> int:
        """0 is the mildest."""
        return list(Severity).index(self)


class Aggregation(models.TextChoices):
    COUNT = "count", "count"
    RATE = "rate", "count a second"
    SUM = "sum", "sum"
    MEAN = "mean", "mean"
    MIN = "min", "smallest"
    MAX = "max", "largest"
    P50 = "p50", "p50 (median)"
    P95 = "p95", "p95"
    P99 = "p99", "p99"
    LAST = "last", "newest"


class Comparison(models.TextChoices):
    ABOVE = "gt", "above"
    AT_LEAST = "ge", "at or above"
    BELOW = "lt", "below"
    AT_MOST = "le", "at or below"


class NoData(models.TextChoices):
    KEEP = "keep", "change nothing"
    ALERT = "alert", "count as beyond the threshold"
    OK = "ok", "count as fine"


class AlertRule(models.Model):
    """A measure of a metric, or of one metric over others, held against a threshold.

    It fires when the value has been beyond `threshold` for `hold` seconds, and resolves when it has
    been back beyond `resolve_threshold` for `keep_firing` seconds; between the two nothing changes.
    """

    name = models.SlugField(
        max_length=80, unique=True, help_text="Short, lower case, for example error-rate."
    )
    title = models.CharField(max_length=120, help_text="What a person reads when it fires.")
    metric = models.CharField(max_length=80)
    aggregation = models.CharField(max_length=8, choices=Aggregation, default=Aggregation.MEAN)
    labels = models.JSONField(
        default=dict, blank=True, help_text="Only series whose labels have these values."
    )
    divisor = models.CharField(
        max_length=200,
        blank=True,
        verbose_name="divided by",
        help_text="Another metric, or several joined by +, that the value is divided by.",
    )
    divisor_aggregation = models.CharField(
        max_length=8, choices=Aggregation, default=Aggregation.COUNT
    )
    divisor_labels = models.JSONField(default=dict, blank=True)
    group_by = models.JSONField(
        default=list, blank=True, help_text="An alert for each value of these labels."
    )
    window = models.PositiveIntegerField(
        default=300,
        validators=[MinValueValidator(10), MaxValueValidator(LONGEST_WINDOW)],
        help_text="Seconds that the measure looks back.",
    )
    comparison = models.CharField(max_length=2, choices=Comparison, default=Comparison.ABOVE)
    threshold = models.FloatField()
    resolve_threshold = models.FloatField(
        null=True, blank=True, help_text="Fine again beyond this; empty: the threshold itself."
    )
    hold = models.PositiveIntegerField(
        default=0, verbose_name="for", help_text="Seconds beyond the threshold before it fires."
    )
    keep_firing = models.PositiveIntegerField(
        default=60, help_text="Seconds that it must be fine before it resolves."
    )
    min_samples = models.PositiveIntegerField(
        default=1, help_text="With fewer measurements in the window there is no value."
    )
    no_data = models.CharField(
        max_length=8, choices=NoData, default=NoData.KEEP, verbose_name="without a value"
    )
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.WARNING)
    group = models.SlugField(
        max_length=40, default="site", help_text="Alerts of one group are told together."
    )
    inhibited_by = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="inhibits",
        help_text="While one of these fires, nobody is told of this one.",
    )
    runbook = models.CharField(
        max_length=200, blank=True, help_text="Name of a runbook page, or an https:// address."
    )
    channels = models.JSONField(
        default=list, blank=True, help_text="None: all that take this severity."
    )
    enabled = models.BooleanField(default=True)
    shipped = models.CharField(max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["group", "name"]
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(window__gte=10, window__lte=LONGEST_WINDOW),
                name="alertrule_window",
            )
        ]

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def divisors(self) -> list[str]:
        """The metrics whose sum the value is divided by; none where it is not a ratio."""
        return [name.strip() for name in self.divisor.split("+")] if self.divisor else []

    @property
    def resolves_at(self) -> float:
        return self.threshold if self.resolve_threshold is None else self.resolve_threshold

    @property
    def is_upper(self) -> bool:
        """High values are the bad ones."""
        return self.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)

    def clean(self) -> None:
        """Raises ValidationError that names each wrong field, its value and what would be right."""
        wrong: dict[str, str] = {}
        for field in ("metric", "divisor"):
            wrong |= _bad_names(field, [self.metric] if field == "metric" else self.divisors)
        for field in ("labels", "divisor_labels"):
            wrong |= _bad_labels(field, getattr(self, field))
        wrong |= _bad_list("group_by", self.group_by, NAME)
        wrong |= _bad_list("channels", self.channels, re.compile(r"[\w.-]+"))
        wrong |= self._bad_thresholds()
        if wrong:
            raise ValidationError(wrong)

    def _bad_thresholds(self) -> dict[str, str]:
        threshold, resolves = self.threshold, self.resolve_threshold
        wrong = {
            field: f"{value} is no finite number."
            for field, value in (("threshold", threshold), ("resolve_threshold", resolves))
            if value is not None and not math.isfinite(value)
        }
        if wrong or threshold is None or resolves is None:
            return wrong
        if (resolves > threshold) if self.is_upper else (resolves < threshold):
            side = "at most" if self.is_upper else "at least"
            return {
                "resolve_threshold": f"{resolves:g} is on the bad side of the threshold: "
                f"it must be {side} {threshold:g}."
            }
        return {}


def _bad_names(field: str, names: list[str]) -> dict[str, str]:
    for name in names:
        if not NAME.fullmatch(name):
            return {
                field: f"{name!r} is no metric's name: it wants lower-case letters, digits and _, "
                "for example request_seconds."
            }
    return {}


def _bad_labels(field: str, labels: Any) -> dict[str, str]:
    right = 'it must be an object such as {"status": "5xx"} or {"status": ["4xx", "5xx"]}.'
    if not isinstance(labels, dict):
        return {field: f"{labels!r} is no set of labels: {right}"}
    for name, value in labels.items():
        values = value if isinstance(value, list) else [value]
        if not NAME.fullmatch(name) or not values or not all(isinstance(v, str) for v in values):
            return {field: f"{name!r}: {value!r} is no label: {right}"}
    return {}


def _bad_list(field: str, names: Any, pattern: re.Pattern[str]) -> dict[str, str]:
    if isinstance(names, list) and all(isinstance(n, str) and pattern.fullmatch(n) for n in names):
        return {}
    return {field: f'{names!r} is no list of names: it must look like ["view", "method"].'}
